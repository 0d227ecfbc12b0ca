import { proofFault, proofOf } from '../../apps/auditor/src/certificates/proof';
import { certificateFault, signed, statementOf } from '../../apps/auditor/src/certificates/certificate';
import { generateKeyPairSync } from 'node:crypto';
import { rawOf } from '../../apps/auditor/src/certificates/keys';
import { AMOUNT_KINDS, POLICY_KINDS } from './tamper-clever';
import { CROSS_KINDS } from './tamper-cross';
import { type Fields, Dice } from './tamper-forging';
import { CERTIFICATE_KINDS, CHAIN_KINDS, SHAPE_KINDS } from './tamper-plain';
import { CleanStores, hunted } from './tamper-run';
import { Stores } from './tamper-store';

/** Every kind of forgery at random places of random ledgers: each is found and named rightly, and clean ledgers are clean. */

const STORES = 40;
const TIMES = 40;
/** Clean ledgers beside those that are forged. */
const CLEAN = 200;
const WAIT_MS = 600_000;
const seed = Number(process.env.TAMPER_SEED ?? Date.now() % 2 ** 31);

const stores = new Stores();
const clean = new CleanStores();

beforeAll(async () => {
  process.stdout.write(`forgeries: TAMPER_SEED=${seed}\n`);
  await clean.make(stores, seed, STORES);
}, WAIT_MS);
afterAll(() => stores.close());

it.each([...CHAIN_KINDS, ...SHAPE_KINDS, ...AMOUNT_KINDS, ...POLICY_KINDS, ...CROSS_KINDS, ...CERTIFICATE_KINDS])(
  `finds it ${TIMES} times out of ${TIMES} when: $name`,
  async (kind) => {
    const { found, missed } = await hunted(kind, TIMES, clean, stores, seed);
    expect(missed).toEqual([]);
    expect(found).toBe(TIMES);
  },
  WAIT_MS,
);

it(
  `raises no false alarm on ${CLEAN} other ledgers`,
  async () => {
    await new CleanStores().make(stores, seed + STORES, CLEAN);
  },
  WAIT_MS,
);

const keys = generateKeyPairSync('ed25519');
const others = generateKeyPairSync('ed25519');
const pinned = rawOf(keys.publicKey);

/** Each changes one thing in a proof with its certificate, at a random place. */
const FORGED: Record<string, (proof: Fields, dice: Dice) => void> = {
  'a number of the statement': ({ certificate }) => (certificate.statement.events += 1),
  'the position': ({ certificate }) => (certificate.statement.position = '1'),
  'the root': ({ certificate }, dice) => (certificate.statement.merkleRoot = flipped(certificate.statement.merkleRoot, dice)),
  'the totals': ({ certificate }) => (certificate.statement.totals.users = '1'),
  'the instant': ({ certificate }) => (certificate.statement.issuedAt = '2020-01-01T00:00:00.000Z'),
  'a member more': ({ certificate }) => (certificate.statement.note = 'x'),
  'the format': ({ certificate }) => (certificate.statement.format = 'token-ledger-certificate/2'),
  'the signature': ({ certificate }) => (certificate.signature.value = Buffer.alloc(64, 7).toString('base64url')),
  'the key id': ({ certificate }, dice) => (certificate.signature.keyId = flipped(certificate.signature.keyId, dice)),
  'another key': ({ certificate }) => Object.assign(certificate, signed(certificate.statement, others.privateKey)),
  'the public key alone': ({ certificate }) => (certificate.signature.publicKey = rawOf(others.publicKey).toString('base64url')),
  'the head': ({ head }, dice) => (head.hash = flipped(head.hash, dice)),
  'the revision': ({ head }) => (head.revision += 1),
  'the stream': ({ head }) => (head.stream += 'x'),
  'the index': (proof) => (proof.index += 1),
  'an index that is none': (proof) => (proof.index = -1),
  'a hash of the path': ({ path }, dice) => {
    const place = dice.below(path.length);
    path[place] = flipped(path[place], dice);
  },
  'a shorter path': ({ path }) => path.pop(),
  'a longer path': ({ path }) => path.push('00'.repeat(32)),
  'the data of the event': ({ event }) => (event.data = event.data.replace('"at":"2', '"at":"3')),
  'the metadata of the event': ({ event }) => (event.metadata = event.metadata.replace('tester', 'nobody')),
  'the type of the event': ({ event }) => (event.type += 'x'),
  'the id of the event': ({ event }, dice) => (event.id = flipped(event.id, dice)),
};

const flipped = (text: string, dice: Dice): string => {
  const place = dice.below(text.length);
  return text.slice(0, place) + (text[place] === '0' ? '1' : '0') + text.slice(place + 1);
};

it.each(Object.entries(FORGED))(`finds a forged proof or certificate ${TIMES} times out of ${TIMES}: %s`, (_, forge) => {
  const dice = new Dice(seed);
  for (let time = 0; time < TIMES; time += 1) {
    const { rows, result } = dice.of(clean.all)!;
    const certificate = signed(statementOf(result, '2026-11-23T10:00:00.000Z'), keys.privateKey);
    expect(certificateFault(certificate, pinned)).toBeUndefined();
    const index = dice.below(result.heads.length);
    const { stream, revision } = result.heads[index]!;
    const { id, type, data, metadata } = rows.find((row) => row.stream === stream && row.revision === revision)!;
    const proof = proofOf(certificate, result.heads, index, { id, type, data, metadata });
    expect(proofFault(proof, pinned)).toBeUndefined();
    const forged: Fields = JSON.parse(JSON.stringify(proof));
    forge(forged, dice);
    expect([stream, revision, proofFault(forged, pinned)]).toEqual([stream, revision, expect.stringMatching(/./)]);
  }
});
