/** Every case of the contract. */
import type { Case } from "./case.ts";
import { badInput } from "./cases/bad-input.ts";
import { create } from "./cases/create.ts";
import { definitions } from "./cases/definition.ts";
import { deletion } from "./cases/delete.ts";
import { discovery } from "./cases/discovery.ts";
import { namespaces } from "./cases/namespace.ts";
import { patches } from "./cases/patch.ts";
import { read } from "./cases/read.ts";
import { representation } from "./cases/representation.ts";
import { schemas } from "./cases/schema.ts";
import { update } from "./cases/update.ts";
import { validation } from "./cases/validation.ts";
import { watches } from "./cases/watch.ts";

export const SUITE: readonly Case[] = [
  ...create,
  ...read,
  ...update,
  ...patches,
  ...deletion,
  ...watches,
  ...schemas,
  ...validation,
  ...representation,
  ...discovery,
  ...namespaces,
  ...definitions,
  ...badInput,
];
