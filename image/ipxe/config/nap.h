/* Where arm64's firmware wakes no sleeping processor, the prompt for Ctrl-B would wait for ever (siderolabs/sidero#806). */
#ifdef __aarch64__
#undef NAP_EFI
/* What it was called in earlier iPXE. */
#undef NAP_EFIARM
#define NAP_NULL
#endif
