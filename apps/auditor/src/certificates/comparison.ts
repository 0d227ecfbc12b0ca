import type { Head } from '../verify/audited';
import type { Findings } from '../verify/finding';
import { type AuditResult } from '../verify/result';
import { merkleRootOf, type Statement } from './certificate';

/**
 * Compares a store with a certificate of it: nothing that the certificate covers may have changed, gone or come in between. `then` are
 * the heads that were certified, where there is a trustworthy list of them.
 */
export function compareWith(statement: Statement, then: readonly Head[] | undefined, result: AuditResult, findings: Findings): void {
  const store = (what: string, expected: unknown, found: unknown) =>
    findings.of({ stream: 'the store', revision: -1, id: '' })('certificate', what, expected, found);
  if (result.mark !== statement.mark) return store('the first event', statement.mark, result.mark);
  if (result.position < BigInt(statement.position))
    store('the position of the last event', `${statement.position} or more, for so far it was certified`, String(result.position));
  const root = merkleRootOf(result.headsThen);
  if (root === statement.merkleRoot) return;
  const certified = then && merkleRootOf(then) === statement.merkleRoot ? then : undefined;
  if (!certified) {
    store(`the Merkle root of the ${statement.streams} streams at position ${statement.position}`, statement.merkleRoot, root);
    return;
  }
  const now = new Map(result.headsThen.map((head) => [head.stream, head]));
  for (const { stream, revision, hash } of certified) {
    const fault = findings.of({ stream, revision: -1, id: '' });
    const head = now.get(stream);
    now.delete(stream);
    if (!head) fault('certificate', 'the stream', `at revision ${revision}`, 'gone');
    else if (head.revision < revision)
      fault('certificate', 'the last event', `revision ${revision}`, `revision ${head.revision}: the stream was cut off`);
    else if (head.revision > revision)
      fault(
        'certificate',
        `the last event up to position ${statement.position}`,
        `revision ${revision}`,
        `revision ${head.revision}: events were put in`,
      );
    else if (head.hash !== hash)
      fault('certificate', `the hash of revision ${revision}`, hash, `${head.hash}: the stream was written anew`);
  }
  for (const { stream, revision } of now.values())
    findings.of({ stream, revision: -1, id: '' })(
      'certificate',
      `the stream up to position ${statement.position}`,
      'not there',
      `at revision ${revision}`,
    );
}
