import type { JWTPayload } from 'jose';

export const ROLES = ['platform', 'admin', 'member', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

/** Who is asking, from the claims of a verified token. */
export interface Principal {
  /** `sub`: goes into every event as the actor; of a member it is the user id. */
  actor: string;
  /** Undefined when the token names no role of ours: then nothing is allowed. */
  role?: Role;
  /** Of an admin. */
  organisation?: string;
  /** `azp` or `client_id`: the software that asks. */
  client?: string;
}

/** Claims go into the metadata of events, so they are bounded like every other text. */
const CLAIM_LENGTH_MAX = 200;

/** The principal of verified claims; undefined when nobody is named. */
export function principalOf(claims: JWTPayload): Principal | undefined {
  const actor = text(claims.sub);
  if (actor === undefined) return undefined;
  const role = ROLES.find((known) => known === claims['role']);
  const organisation = role === 'admin' ? text(claims['organisation']) : undefined;
  const client = text(claims['azp']) ?? text(claims['client_id']);
  return { actor, ...(role && { role }), ...(organisation && { organisation }), ...(client && { client }) };
}

const text = (claim: unknown): string | undefined =>
  typeof claim === 'string' && claim.length > 0 && claim.length <= CLAIM_LENGTH_MAX && !/\p{Surrogate}/u.test(claim) ? claim : undefined;
