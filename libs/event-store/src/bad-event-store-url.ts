/** A connection string that no adapter can serve. The message is one sentence, which repeats no part of it: it may hold a password. */
export class BadEventStoreUrl extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'BadEventStoreUrl';
  }
}
