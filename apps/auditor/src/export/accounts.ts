/**
 * The ledger's accounts by the names that plain-text accounting tools take. They know five roots; tokens held are Assets, tokens spent
 * or lapsed are Expenses, and the world that issues them is Equity.
 */

export type Naming = (id: string, kind: 'user' | 'organisation') => string;

/** hledger takes every id as it is. */
export const plainId: Naming = (id) => id;

/**
 * beancount takes letters, digits and dashes, and a capital letter or a digit first. So an id begins with `U` (user) or `O`
 * (organisation), and what is no letter or digit is a dash and a letter: `-h` for a dash, `-d` for a dot, `-u` for `_`, `-t` for `~`.
 * Every dash begins such a pair, so no two ids have one name.
 */
export const dashedId: Naming = (id, kind) =>
  `${kind === 'user' ? 'U' : 'O'}${id.replace(/[-._~]/g, (character) => `-${DASHED[character]}`)}`;

const DASHED: Readonly<Record<string, string>> = { '-': 'h', '.': 'd', _: 'u', '~': 't' };

const OF_NOBODY: Readonly<Record<string, string>> = {
  world: 'Equity:World',
  'platform:usage': 'Expenses:Usage',
  'platform:bills': 'Expenses:Bills',
  lapsed: 'Expenses:Lapsed',
};

/** `user:u1:allocated:acme` is `Assets:User:u1:Allocated:acme`. */
export function accountName(account: string, naming: Naming): string {
  const own = OF_NOBODY[account];
  if (own !== undefined) return own;
  const [kind = '', id = '', bucket = '', organisationId] = account.split(':');
  if (kind === 'organisation') return `Assets:Organisation:${naming(id, kind)}:${capital(bucket)}`;
  const holder = `Assets:User:${naming(id, 'user')}:${capital(bucket)}`;
  return organisationId === undefined ? holder : `${holder}:${naming(organisationId, 'organisation')}`;
}

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
