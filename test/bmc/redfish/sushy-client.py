# OpenStack's Redfish client does with a service what Ironic does, and prints what it sees.
import json
import sys

import sushy
from sushy import auth

root = sushy.Sushy(sys.argv[1], auth=auth.SessionAuth("admin", "secret"))
system = root.get_system("/redfish/v1/Systems/1")
seen = {"uuid": system.uuid, "power": [system.power_state.value]}


def power(kind):
    system.reset_system(kind)
    system.refresh(force=True)
    seen["power"].append(system.power_state.value)


power(sushy.RESET_ON)
power(sushy.RESET_FORCE_RESTART)
power(sushy.RESET_GRACEFUL_SHUTDOWN)
system.set_system_boot_options(
    target=sushy.BOOT_SOURCE_TARGET_PXE,
    enabled=sushy.BOOT_SOURCE_ENABLED_ONCE,
    mode=sushy.BOOT_SOURCE_MODE_BIOS,
)
system.refresh(force=True)
boot = system.boot
seen["boot"] = [boot["target"].value, boot["enabled"].value, boot["mode"].value]
seen["macs"] = [nic.mac_address for nic in system.ethernet_interfaces.get_members()]
drive = system.virtual_media.get_members()[0]
drive.insert_media("http://192.0.2.1/talos.iso")
drive.refresh(force=True)
seen["media"] = [drive.image, drive.inserted]
drive.eject_media()
drive.refresh(force=True)
seen["media"].append(drive.inserted)
chassis = root.get_chassis("/redfish/v1/Chassis/1")
seen["temperatures"] = [one.reading_celsius for one in chassis.thermal.temperatures]
seen["firmware"] = root.get_manager("/redfish/v1/Managers/1").firmware_version
print(json.dumps(seen))
