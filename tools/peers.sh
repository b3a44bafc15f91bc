#!/bin/bash
# Brings everything that proofs compare with; what SIDERO_WITHOUT_PEERS (refapi,kcm,kubectl,dhcp-peers,
# tftp-clients,bmc-peers,grpc-client,tshark,lldpd,sushy,ipxe,wireguard,lab) names is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted() {
  case ",${SIDERO_WITHOUT_PEERS:-}," in
    *",$1,"*) echo "without $1 (SIDERO_WITHOUT_PEERS)"; return 1 ;;
  esac
}
if wanted kubectl; then tools/kubectl.sh 1.32; tools/kubectl.sh 1.36; fi
if wanted refapi; then test/refapi/locate.sh; fi
if wanted kcm; then test/refapi/locate-kcm.sh; fi
if wanted dhcp-peers; then tools/dhcp-peers.sh; fi
if wanted tftp-clients; then tools/tftp-clients.sh; fi
if wanted bmc-peers; then tools/bmc-peers.sh; fi
if wanted record-peers; then tools/record-peers.sh; fi
if wanted grpc-client; then tools/grpc-client.sh; fi
if wanted tshark; then tools/tshark.sh; fi
if wanted lldpd; then tools/lldpd.sh; fi
if wanted sushy; then tools/sushy.sh; fi
if wanted wireguard; then tools/wireguard.sh; fi
if wanted ipxe; then tools/ipxe.sh; fi
# The agent's image is what the lab boots, and what stands in for Talos is what it installs.
if wanted lab; then tools/lab.sh; tools/image.sh >&2; tools/talos.sh >&2; fi
