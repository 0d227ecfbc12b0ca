import { isoInstant, type WalletRef } from '@ledger/wallet';
import { table } from '../../../demo/src/table';
import { BadArguments, CLEAN, type Command, CouldNotRun, flags, openStore, storeUrl } from '../cli/command';
import { instantArgument, type Platform, platformOf, walletArgument, walletName, workersArgument } from './arguments';
import type { Holdings } from './holdings';
import { replay } from './replay';

type Out = (line: string) => void;

export const replayCommand: Command = {
  summary: 'tell what one or all wallets held at an instant',
  usage: 'replay --at <instant> [--wallet user:<id>|organisation:<id>] [--event-store URL] [--workers N] [--json]',
  async run(args, { env, out }) {
    const values = flags(args, {
      at: { type: 'string' },
      wallet: { type: 'string' },
      'event-store': { type: 'string' },
      workers: { type: 'string' },
      json: { type: 'boolean' },
    });
    if (values.at === undefined) throw new BadArguments('--at is missing: name an instant in UTC such as 2026-11-23T12:00:00.000Z.');
    const at = instantArgument('--at', values.at);
    const only = values.wallet === undefined ? undefined : walletArgument(values.wallet);
    const workers = workersArgument(values.workers);
    const platform = platformOf(env);
    const url = storeUrl(values['event-store'], env);
    const store = await openStore(url);
    try {
      const { holdings, latest } = await replay(store, at, { only, url, workers });
      if (at > Date.now() && isoInstant(at) > latest) throw new CouldNotRun('--at must not lie in the future: nobody knows what comes.');
      if (only) tellOne(only, holdings, platform, values.json === true, out);
      else tellAll(at, holdings, platform, values.json === true, out);
      return CLEAN;
    } finally {
      await store.close();
    }
  },
};

const heldBy = (wallet: WalletRef, holdings: Holdings, platform: Platform) =>
  wallet.kind === 'user' ? holdings.user(wallet.id, platform) : holdings.organisation(wallet.id);

function tellOne(wallet: WalletRef, holdings: Holdings, platform: Platform, json: boolean, out: Out): void {
  const held = heldBy(wallet, holdings, platform);
  if (json) return out(JSON.stringify({ wallet: walletName(wallet), ...held }));
  const after = held.revision < 0 ? 'before its first event' : `after its event ${held.revision}`;
  out(`${walletName(wallet)} at ${held.at}, ${after}:\n`);
  const rows: [string, number][] = 'free' in held ? userRows(held) : [...organisationRows(held)];
  out(table(['', 'tokens'], rows));
}

function userRows({ free, purchased, allocated, balance, owed }: ReturnType<Holdings['user']>): [string, number][] {
  return [
    [`free, of ${free.month} (until ${free.resetsAt})`, free.tokens],
    ['purchased', purchased],
    ...allocated.map(({ organisationId, tokens }): [string, number] => [`allocated by ${organisationId}`, tokens]),
    ['balance', balance],
    ['owed', owed],
  ];
}

function organisationRows({ available, inTransit, owed }: ReturnType<Holdings['organisation']>): [string, number][] {
  return [
    ['available', available],
    ['in transit to its members', inTransit],
    ['owed', owed],
  ];
}

function tellAll(at: number, holdings: Holdings, platform: Platform, json: boolean, out: Out): void {
  const wallets = holdings.known();
  const total = totals(holdings);
  if (json) {
    // A line for each wallet: one text of a million of them would be longer than a string may be.
    out(`{"at":"${isoInstant(at)}","totals":${JSON.stringify(total)},"wallets":[`);
    wallets.forEach((wallet, index) => {
      const held = heldBy(wallet, holdings, platform);
      out(`${JSON.stringify({ wallet: walletName(wallet), ...held })}${index < wallets.length - 1 ? ',' : ''}`);
    });
    return out(']}');
  }
  out(`What ${wallets.length} wallets held at ${isoInstant(at)}:\n`);
  if (wallets.length > 0) out(table(HEAD, rowsOf(wallets, holdings, platform)));
  const { issued, usage, bills, lapsed } = total;
  out(`\nIssued until then ${issued}; spent on usage ${usage} and on bills ${bills}; lapsed ${lapsed}.`);
}

const HEAD = ['wallet', 'balance', 'free', 'purchased', 'allocated', 'in transit', 'owed', 'event'];

const rowsOf = (wallets: readonly WalletRef[], holdings: Holdings, platform: Platform) =>
  wallets.map((wallet) => {
    const name = walletName(wallet);
    if (wallet.kind === 'organisation') {
      const { available, inTransit, owed, revision } = holdings.organisation(wallet.id);
      return [name, available, '', available, '', inTransit, owed, revision];
    }
    const { balance, free, purchased, allocated, owed, revision } = holdings.user(wallet.id, platform);
    return [name, balance, free.tokens, purchased, allocated.reduce((sum, { tokens }) => sum + tokens, 0), '', owed, revision];
  });

function totals({ platform }: Holdings) {
  const of = (account: string): number => platform.get(account) ?? 0;
  // Zero has no sign for a person.
  return { issued: 0 - of('world'), usage: of('platform:usage'), bills: of('platform:bills'), lapsed: of('lapsed') };
}
