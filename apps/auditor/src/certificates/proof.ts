import { CouldNotRun } from '../cli/command';
import { shown } from '../cli/shown';
import type { Head } from '../verify/audited';
import { canonicalOf, idOf, parsed, sha256 } from '../verify/chain';
import { type Certificate, certificateFault, certificateOf, leafOf } from './certificate';
import { leafHash, pathOf, rootFrom } from './merkle';

/** A proof that a wallet's stream ended so when a certificate was made; whoever has the public key can check it without the store. */

export const PROOF_FORMAT = 'token-ledger-proof/1';

/** The last event of the stream, as it is stored. */
export interface HeadEvent {
  id: string;
  type: string;
  data: string;
  metadata: string;
}

export interface Proof {
  format: string;
  certificate: Certificate;
  head: Head;
  event: HeadEvent;
  index: number;
  path: string[];
}

/** `heads` are those that the certificate's root stands for, in their order. */
export function proofOf(certificate: Certificate, heads: readonly Head[], index: number, event: HeadEvent): Proof {
  const path = pathOf(heads.map((head) => leafHash(leafOf(head))), index).map((hash) => hash.toString('hex')); // prettier-ignore
  return { format: PROOF_FORMAT, certificate, head: heads[index]!, event, index, path };
}

/** What is wrong with a proof, as one sentence; undefined when nothing is. */
export function proofFault({ format, certificate, head, event, index, path }: Proof, pinned: Buffer | undefined): string | undefined {
  if (format !== PROOF_FORMAT) return `its format is ${shown(format)} where ${PROOF_FORMAT} is known`;
  const fault = certificateFault(certificate, pinned);
  if (fault) return `its certificate is not to be trusted: ${fault}`;
  const { streams, merkleRoot } = certificate.statement;
  const root = rootFrom(leafHash(leafOf(head)), index, streams, path.map((hash) => Buffer.from(hash, 'hex'))); // prettier-ignore
  if (root?.toString('hex') !== merkleRoot) return 'its path does not lead from the head of the stream to the root of the certificate';
  const metadata = parsed(event.metadata) as Record<string, unknown> | undefined;
  if (typeof metadata !== 'object' || metadata === null || typeof metadata.previousHash !== 'string')
    return 'the metadata of its event name no previous hash';
  const { hash, ...others } = metadata;
  const text = `${metadata.previousHash}{"data":${event.data},"metadata":${canonicalOf(others)},"revision":${head.revision},"type":"${event.type}"}`;
  if (hash !== head.hash || sha256(text) !== head.hash || idOf(head.hash) !== event.id)
    return 'its event is not the one that the head of the stream names';
  return undefined;
}

/** @throws CouldNotRun when it is no proof at all */
export function proofFrom(value: unknown, where: string): Proof {
  const { format, certificate, head, event, index, path } = (value ?? {}) as Partial<Proof>;
  const texts = [format, head?.stream, head?.hash, event?.id, event?.type, event?.data, event?.metadata];
  const shaped = texts.every((text) => typeof text === 'string') && Number.isSafeInteger(head!.revision) && Number.isSafeInteger(index);
  if (!shaped || !Array.isArray(path) || !path.every((hash) => typeof hash === 'string'))
    throw new CouldNotRun(
      `${where} is not a proof: it must hold "certificate", "head", "event", "index" and "path" as docs/audit-format.md says.`,
    );
  return { format, certificate: certificateOf(certificate, `The certificate in ${where}`), head, event, index, path } as Proof;
}
