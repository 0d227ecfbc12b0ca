import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonical } from '@ledger/wallet';
import { certificateFault, certificateOf, leafOf, merkleRootOf, signed } from '../../apps/auditor/src/certificates/certificate';
import { leafHash, pathOf, rootFrom, rootOf } from '../../apps/auditor/src/certificates/merkle';
import { proofFault, proofFrom, proofOf } from '../../apps/auditor/src/certificates/proof';
import type { Head } from '../../apps/auditor/src/verify/audited';
import { RULES } from '../../apps/auditor/src/verify/finding';
import { checkLink, firstLink, type Link, sha256 } from '../../apps/auditor/src/verify/chain';

/** The worked example of docs/audit-format.md is what the program makes. */

const page = readFileSync(join(__dirname, '../../docs/audit-format.md'), 'utf8');
const example = page.slice(page.indexOf('## Worked example'));
const blocks = (language: string): string[] =>
  [...example.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\n\`\`\``, 'g'))].map(([, text]) => text!);
const [lines = '', leaves = ''] = blocks('jsonl');
const [hashedText = '', statement = ''] = blocks('text');
const [certificateText = '', proofText = ''] = blocks('json');

interface Line {
  stream: string;
  revision: number;
  id: string;
  type: string;
  data: object;
  metadata: Record<string, string>;
}
const events = lines.split('\n').map((line) => JSON.parse(line) as Line);

/** The first secret key of RFC 8032, section 7.1, which everybody has. */
const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const key = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
  format: 'der',
  type: 'pkcs8',
});

it('gives a chain that holds, and the hashed text to the letter', () => {
  const links = new Map<string, Link>();
  for (const event of events) {
    const link = links.get(event.stream) ?? firstLink(event.stream);
    links.set(event.stream, link);
    const stored = { ...event, data: canonical(event.data), metadata: canonical(event.metadata) };
    // The line holds the stored texts themselves.
    expect(lines).toContain(`"data":${stored.data},"metadata":${stored.metadata}}`);
    checkLink(link, stored, (...said) => {
      throw new Error(said.join());
    });
  }
  expect(sha256(hashedText)).toBe(events[2]!.metadata.hash);
  expect(example).toContain(`Its hash is \`${events[2]!.metadata.hash}\`, its id \`${events[2]!.id}\`.`);
  for (const { stream, revision, metadata } of events) {
    if (revision === 0) expect(example).toMatch(new RegExp(`${stream} +${metadata.previousHash}`));
  }
});

it('gives the tree, the certificate and the proof that the program makes', () => {
  const heads = leaves.split('\n').map((leaf) => JSON.parse(leaf) as Head);
  expect(heads.map(leafOf).join('\n')).toBe(leaves);
  const hashes = heads.map((head) => leafHash(leafOf(head)).toString('hex'));
  hashes.forEach((hash, index) => expect(example).toMatch(new RegExp(`leaf hash ${index} +${hash}`)));
  expect(example).toMatch(new RegExp(`root = node\\(that, 2\\) +${merkleRootOf(heads)}`));

  const certificate = certificateOf(JSON.parse(certificateText), 'the page');
  expect(canonical(certificate.statement)).toBe(statement);
  expect(signed(certificate.statement, key)).toEqual(certificate);
  const publicKey = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
  expect(certificateFault(certificate, publicKey)).toBeUndefined();
  expect(certificate.statement).toMatchObject({ mark: events[0]!.id, merkleRoot: merkleRootOf(heads) });

  const proof = proofFrom(JSON.parse(proofText), 'the page');
  expect(proofFault(proof, publicKey)).toBeUndefined();
  expect(proofOf(certificate, heads, 1, proof.event)).toEqual(proof);
});

describe('the tree of RFC 6962', () => {
  /** The definition of the RFC, word for word. */
  const defined = (all: readonly Buffer[]): Buffer => {
    if (all.length === 0) return createHash('sha256').digest();
    if (all.length === 1) return all[0]!;
    let split = 1;
    while (split * 2 < all.length) split *= 2;
    const both = Buffer.concat([Buffer.of(1), defined(all.slice(0, split)), defined(all.slice(split))]);
    return createHash('sha256').update(both).digest();
  };

  it('is the one of the definition, and every leaf has a path that leads to its root and no other', () => {
    for (let size = 0; size <= 40; size += 1) {
      const all = Array.from({ length: size }, (_, index) => leafHash(`leaf ${index}`));
      const root = rootOf(all);
      expect(root).toEqual(defined(all));
      for (let index = 0; index < size; index += 1) {
        const path = pathOf(all, index);
        expect(rootFrom(all[index]!, index, size, path)).toEqual(root);
        expect(rootFrom(all[index]!, index, size, [...path, all[0]!])).toBeUndefined();
        if (path.length > 0) expect(rootFrom(all[index]!, index, size, path.slice(1))).toBeUndefined();
        expect(rootFrom(all[index]!, index + size, size, path)).toBeUndefined();
        if (size > 1) expect(rootFrom(leafHash('another'), index, size, path)).not.toEqual(root);
      }
    }
  });
});

it('names every rule that a finding can name', () => {
  for (const [rule, meaning] of Object.entries(RULES)) expect(page.replace(/ {2,}/g, ' ')).toContain(`| \`${rule}\` | ${meaning} |`);
});
