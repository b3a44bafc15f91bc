/** Logging in at a BMC by network, for proof. `main` has it done by `bmc/`. */
export interface BmcLogin {
  /** IP address. */
  readonly address: string;
  /** UDP port. */
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/**
 * Opens a session as administrator by IPMI 2.0, reads the power state, and closes it again. Rejects as `bmc/` does: `bmc.denied`, `bmc.refused` and
 * `bmc.unsupported` when the BMC will not have the account, the password or the cipher suite; everything else says nothing about them.
 */
export type ProveBmc = (login: BmcLogin, signal: AbortSignal) => Promise<void>;
