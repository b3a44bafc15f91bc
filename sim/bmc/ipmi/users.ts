/** The users of a simulated BMC. */
import { NO_ACCESS, PASSWORD_20, PRIVILEGE } from "#wire/ipmi/constants.ts";
import type { UserOptions } from "./options.ts";

export interface User {
  name: string;
  /** As many bytes as it was set with, zeros behind it. */
  password: Uint8Array;
  isEnabled: boolean;
  privilege: number;
  onlyCallback: boolean;
  linkAuthentication: boolean;
  messaging: boolean;
  sol: boolean;
}

/** Numbers 1 to that. */
export const USERS = 15;

/** Only those that somebody has named are kept. */
export class Users {
  readonly #users = new Map<number, User>();

  constructor(users: readonly UserOptions[]) {
    for (const [index, { name, password, privilege = PRIVILEGE.administrator }] of users.entries()) {
      const bytes = new Uint8Array(PASSWORD_20);
      bytes.set(Uint8Array.from(password, (character) => character.charCodeAt(0)));
      this.#users.set(index + 2, {
        ...blank(),
        name,
        password: bytes,
        isEnabled: true,
        privilege,
        messaging: true,
        linkAuthentication: true,
        sol: true,
      });
    }
  }

  get(number: number): User | undefined {
    return this.#users.get(number);
  }

  /** One that can be changed. */
  edit(number: number): User {
    const user = this.#users.get(number) ?? blank();
    this.#users.set(number, user);
    return user;
  }

  get enabled(): number {
    return [...this.#users.values()].filter(({ isEnabled }) => isEnabled).length;
  }

  /** Who may open a session by this name, with this privilege at least when it is given. */
  find(name: string, privilege = 0): { readonly number: number; readonly user: User } | undefined {
    for (const [number, user] of this.#users) {
      const mayEnter = user.isEnabled && user.messaging && user.privilege !== NO_ACCESS && user.privilege >= privilege;
      if (user.name === name && mayEnter) return { number, user };
    }
    return undefined;
  }
}

function blank(): User {
  return {
    name: "",
    password: new Uint8Array(PASSWORD_20),
    isEnabled: false,
    privilege: NO_ACCESS,
    onlyCallback: false,
    linkAuthentication: false,
    messaging: false,
    sol: false,
  };
}
