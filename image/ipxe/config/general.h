/* On top of iPXE's defaults: HTTPS, and what whoever presses Ctrl-B wants to have at hand. */
#define DOWNLOAD_PROTO_HTTPS
#define SANBOOT_PROTO_HTTP
#define PING_CMD
#define NSLOOKUP_CMD
#define REBOOT_CMD
#define POWEROFF_CMD
