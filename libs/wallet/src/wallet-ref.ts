/** Which wallet, and which stream is its own. */

export type WalletKind = 'organisation' | 'user';
export interface WalletRef {
  kind: WalletKind;
  id: string;
}

/** Stream of a wallet, such as `organisationWallet-acme`; the stream is the consistency boundary. */
export const streamOf = (wallet: WalletRef): string => `${wallet.kind}Wallet-${wallet.id}`;

/** The wallet of a stream, or undefined when the stream is not a wallet's. */
export function walletOf(stream: string): WalletRef | undefined {
  if (stream.startsWith('organisationWallet-')) return { kind: 'organisation', id: stream.slice('organisationWallet-'.length) };
  if (stream.startsWith('userWallet-')) return { kind: 'user', id: stream.slice('userWallet-'.length) };
  return undefined;
}
