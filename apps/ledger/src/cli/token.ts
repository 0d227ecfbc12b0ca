import { parseArgs } from 'node:util';
import { WALLET_ID_PATTERN } from '@ledger/wallet';
import { localKey, signToken, type TokenClaims } from '../auth/local-key';
import { ROLES } from '../auth/principal';
import { readSettings, type Environment } from '../settings';

const DAYS_DEFAULT = 30;
const DAYS_MAX = 3_650;
const USAGE =
  'Usage: npm run token -- --role platform | --role admin --organisation <id> | --role member --user <id> | --role auditor [--days <n>]';

/** What was asked for cannot be done; the message says why. */
class BadArguments extends Error {}

function read(args: string[]): { claims: TokenClaims; days: number } {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args, strict: true, options: { role: text, organisation: text, user: text, days: text } });
  const role = ROLES.find((known) => known === values.role);
  if (role === undefined) throw new BadArguments(`--role must be one of ${ROLES.join(', ')}.`);
  const organisation = idFor('organisation', values.organisation, role === 'admin', role);
  const user = idFor('user', values.user, role === 'member', role);
  const days = values.days === undefined ? DAYS_DEFAULT : /^\d{1,4}$/.test(values.days) ? Number(values.days) : 0;
  if (days < 1 || days > DAYS_MAX) throw new BadArguments(`--days must be a whole number from 1 to ${DAYS_MAX}.`);
  const sub = user ?? (organisation === undefined ? role : `admin@${organisation}`);
  return { claims: { sub, role, client: 'token-cli', ...(organisation && { organisation }) }, days };
}

function idFor(name: string, value: string | undefined, wanted: boolean, role: string): string | undefined {
  if (wanted !== (value !== undefined)) throw new BadArguments(`--role ${role} ${wanted ? 'needs' : 'takes no'} --${name}.`);
  if (value !== undefined && !WALLET_ID_PATTERN.test(value))
    throw new BadArguments(`--${name} must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -.`);
  return value;
}

/** Prints a bearer token of the local key, and nothing else, on stdout. Answers the exit status: 2 when it was asked wrongly. */
export async function token(args: string[], env: Environment, out: (line: string) => void, err: (line: string) => void): Promise<number> {
  try {
    const { claims, days } = read(args);
    const settings = readSettings(env);
    if (settings.auth.kind !== 'local')
      throw new BadArguments('Tokens are printed only when AUTH is local; with oidc the issuer makes them.');
    out(await signToken(await localKey(settings.dataDir), claims, days));
    return 0;
  } catch (error) {
    err((error as Error).message);
    if (error instanceof BadArguments || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS')) err(USAGE);
    return 2;
  }
}

if (require.main === module)
  void token(process.argv.slice(2), process.env, console.log, console.error).then((status) => {
    process.exitCode = status;
  });
