import { CannotGoOn } from './received';

/** Something is missing between what was applied and what comes now. */
export class RevisionGap extends CannotGoOn {
  constructor(
    /** Such as `user:u1`. */
    readonly wallet: string,
    readonly expected: number,
    readonly found: number,
  ) {
    super(
      `${wallet}: revision ${expected} was expected, and ${found} came. Was the database restored, or did the group begin in the middle? ` +
        'Read from the beginning: what was applied before is skipped.',
    );
    this.name = 'RevisionGap';
  }
}

/**
 * The revision rule, all of it: what was applied is skipped, what follows is applied, and a gap stops. `last` is the wallet's last
 * applied revision, undefined when there was none.
 * @throws RevisionGap
 */
export function isNext(wallet: string, last: number | undefined, found: number): boolean {
  const expected = (last ?? -1) + 1;
  if (found > expected) throw new RevisionGap(wallet, expected, found);
  return found === expected;
}
