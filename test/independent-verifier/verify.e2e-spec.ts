import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, Sqlite } from '@ledger/sqlite';
import { auditorHere, present, type Ran, run } from '../audit/explain-cli';
import { liveSchool, ORGANISATION, type School } from '../audit/explain-school';
import { seedOf } from '../audit/explain-world';

/** The verifier in Python, which was written from docs/audit-format.md alone, beside ours: they must say the same of every store. */

const VERIFY = join(__dirname, 'verify.py');
const LINES_MAX = 150;
const PLACES = Number(process.env.TAMPER_PLACES ?? 1);
const HOW = 'python3 with the package cryptography (Debian: python3-cryptography)';

const seed = seedOf('PYTHON_SEED');
let state = seed;
/** mulberry32. */
function below(end: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
}

interface Row {
  position: number;
  stream: number;
  revision: number;
  id: string;
  type: string;
  data: string;
  metadata: string;
}

type Tampering = (db: Database, row: Row, other: Row) => void;
const change = (db: Database, row: Row, set: string, value: unknown) =>
  void db.prepare(`update events set ${set} = ? where position = ?`).run(value, row.position);
const otherDigit = (text: string): string => text.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10));

/** What hashes, ids and texts tell, whatever the rules of the domain are. */
const FOUND: Record<string, Tampering> = {
  'a digit of the data changed': (db, row) => change(db, row, 'data', otherDigit(row.data)),
  'the actor changed': (db, row) => change(db, row, 'metadata', row.metadata.replace('"actor":"', '"actor":"x')),
  'a metadata member added': (db, row) =>
    change(db, row, 'metadata', row.metadata.replace('"$causationId"', '"$causation":"x","$causationId"')),
  'the type changed': (db, row) => change(db, row, 'type', row.type === 'LimitSet' ? 'LimitCleared' : 'LimitSet'),
  'the id changed': (db, row) => change(db, row, 'id', otherDigit(row.id)),
  'the hash changed': (db, row) =>
    change(
      db,
      row,
      'metadata',
      row.metadata.replace(/"hash":"./, (text) => (text.endsWith('0') ? '"hash":"1' : '"hash":"0')),
    ),
  'a space put in': (db, row) => change(db, row, 'data', row.data.replace(':', ': ')),
  'a member twice': (db, row) => change(db, row, 'data', row.data.replace('{', '{"at":"2020-01-01T00:00:00.000Z",')),
  'a fraction put in': (db, row) => change(db, row, 'data', row.data.replace('{', '{"aa":1.5,')),
  'text that is no JSON': (db, row) => change(db, row, 'data', row.data.slice(0, -1)),
  'two events of one stream exchanged': (db, row, other) => {
    for (const [to, from] of [
      [row, other],
      [other, row],
    ] as const) {
      db.prepare('update events set id = ?, type = ?, data = ?, metadata = ? where position = ?').run(
        from.id,
        from.type,
        from.data,
        from.metadata,
        to.position,
      );
    }
  },
  'an event removed': (db, row) => void db.prepare('delete from events where position = ?').run(row.position),
  'an event repeated': (db, row) => {
    db.prepare('insert into events select ?, stream, revision, previous, id, type, data, metadata from events where position = ?').run(
      1_000_000,
      row.position,
    );
  },
};

describe('the verifier in Python', () => {
  let school: School;
  let folder: string;
  let python = false;
  const file = (name: string) => join(folder, name);
  const verifier = (...args: string[]): Promise<Ran> => run('python3', [VERIFY, ...args]);
  const ours = (url: string, ...args: string[]) => auditorHere(['verify', '--event-store', url, '--workers', '1', ...args], school.env);

  beforeAll(async () => {
    python = await present('python3', ['-c', 'import cryptography'], HOW);
    if (!python) return;
    folder = mkdtempSync(join(tmpdir(), 'ledger-python-'));
    school = await liveSchool();
    await auditorHere(['keygen', '--out', file('private.pem'), '--public-out', file('public.pem')]);
    const certified = await ours(school.url, '--certificate', file('certificate.json'), '--signing-key', file('private.pem'));
    expect([certified.status, certified.err]).toEqual([0, '']);
  }, 60_000);
  afterAll(() => {
    if (!python) return;
    school.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  const proving = (name: string, test: () => Promise<void>) => it(name, () => (python ? test() : Promise.resolve()), 300_000);

  it(`is at most ${LINES_MAX} lines`, () => {
    expect(readFileSync(VERIFY, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(LINES_MAX);
  });

  proving('agrees that the store is clean, from the file and from an export, with and without the certificate', async () => {
    const path = school.url.slice('sqlite:'.length);
    await auditorHere(['export', '--format', 'jsonl', '--out', file('events.jsonl')], school.env);
    const { merkleRoot, events, streams } = (
      JSON.parse(readFileSync(file('certificate.json'), 'utf8')) as { statement: Record<string, unknown> }
    ).statement;
    const clean = {
      status: 0,
      out: `clean: ${events as number} events, ${streams as number} streams, root ${merkleRoot as string}\n`,
      err: '',
    };
    for (const store of [path, file('events.jsonl')]) {
      expect(await verifier(store)).toEqual(clean);
      expect(await verifier(store, '--certificate', file('certificate.json'), '--public-key', file('public.pem'))).toEqual(clean);
    }
  });

  proving('agrees on the worked example of the page', async () => {
    const page = readFileSync(join(__dirname, '../../docs/audit-format.md'), 'utf8').split('## Worked example')[1] ?? '';
    const block = (kind: string, nth: number) => [...page.matchAll(new RegExp(`\`\`\`${kind}\\n(.*?)\`\`\``, 'gs'))][nth]?.[1] ?? '';
    writeFileSync(file('page.jsonl'), block('jsonl', 0));
    writeFileSync(file('page-certificate.json'), block('json', 0));
    writeFileSync(file('page-proof.json'), block('json', 1));
    expect((await verifier(file('page.jsonl'), '--certificate', file('page-certificate.json'))).out).toMatch(/^clean: 4 events, 3 streams/);
    expect((await verifier('--proof', file('page-proof.json'))).out).toMatch(/^clean: userWallet-ann ended with event 1/);
  });

  proving('agrees on proofs of wallets, and on one that was changed', async () => {
    for (const wallet of ['user:ann', 'user:a.b_c~d-e', `organisation:${ORGANISATION}`]) {
      const proof = file('proof.json');
      const made = await auditorHere(['prove', '--wallet', wallet, '--certificate', file('certificate.json'), '--out', proof], school.env);
      expect([made.status, made.err]).toEqual([0, '']);
      expect((await verifier('--proof', proof, '--public-key', file('public.pem'))).out).toMatch(/^clean: /);
      const text = readFileSync(proof, 'utf8');
      for (const forged of [text.replace(/\\"balance\\":(\d+)/, '\\"balance\\":1$1'), text.replace(/"index": ?(\d+)/, '"index":1$1')]) {
        expect(forged).not.toBe(text);
        writeFileSync(proof, forged);
        const said = [await verifier('--proof', proof), await auditorHere(['check-proof', '--proof', proof])];
        expect(said.map(({ status }) => status)).toEqual([1, 1]);
      }
    }
  });

  proving('agrees on certificates that were changed, or signed with another key', async () => {
    const text = readFileSync(file('certificate.json'), 'utf8');
    writeFileSync(file('forged.json'), text.replace(/"events": ?(\d+)/, '"events":1$1'));
    const path = school.url.slice('sqlite:'.length);
    const changed = await verifier(path, '--certificate', file('forged.json'));
    expect([changed.status, changed.out]).toEqual([1, expect.stringContaining('the signature is wrong')]);
    expect((await ours(school.url, '--against', file('forged.json'))).status).toBe(1);
    await auditorHere(['keygen', '--out', file('other.pem'), '--public-out', file('other-public.pem')]);
    const pinned = await verifier(path, '--certificate', file('certificate.json'), '--public-key', file('other-public.pem'));
    expect([pinned.status, pinned.out]).toEqual([1, expect.stringContaining('another key than the pinned one')]);
    expect((await ours(school.url, '--against', file('certificate.json'), '--public-key', file('other-public.pem'))).status).toBe(1);
  });

  /** A copy of the store, changed behind its back. */
  function tampered(tamper: (db: Database) => void): string {
    const path = file('tampered.db');
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    copyFileSync(school.url.slice('sqlite:'.length), path);
    const db = new Sqlite(path);
    db.exec('drop trigger events_are_never_changed; drop trigger events_are_never_deleted; drop index waypoints');
    tamper(db);
    db.pragma('wal_checkpoint(truncate)');
    db.close();
    return path;
  }

  /** An event that has one behind it in its stream, and that one. */
  function place(db: Database): [row: Row, next: Row] {
    const pairs = db
      .prepare<[], { a: number; b: number }>(
        'select a.position as a, b.position as b from events a join events b on b.stream = a.stream and b.revision = a.revision + 1',
      )
      .all();
    const pair = pairs[below(pairs.length)]!;
    const at = db.prepare<[number], Row>('select * from events where position = ?');
    return [at.get(pair.a)!, at.get(pair.b)!];
  }

  for (const [name, tamper] of Object.entries(FOUND)) {
    proving(`finds, as ours does: ${name}`, async () => {
      for (let nth = 0; nth < PLACES; nth += 1) {
        let stream = '';
        const path = tampered((db) => {
          const [row, other] = place(db);
          stream = db.prepare<[number], string>('select name from streams where id = ?').pluck().get(row.stream)!;
          tamper(db, row, other);
        });
        const [theirs, mine] = await Promise.all([verifier(path), ours(`sqlite:${path}`)]);
        expect([name, theirs.status, theirs.out]).toEqual([name, 1, expect.stringContaining(stream)]);
        expect([name, mine.status, mine.out]).toEqual([name, 1, expect.stringContaining(stream)]);
      }
    });
  }

  proving('finds by the certificate alone, as ours does, a stream that was cut off and one that was removed', async () => {
    const last = (db: Database) =>
      db
        .prepare<[], Row>(
          "select * from events where stream = (select id from streams where name = 'userWallet-0') order by revision desc limit 1",
        )
        .get()!;
    const cut = (db: Database) => {
      const { position, stream, revision } = last(db);
      const { position: before } = db
        .prepare<[number, number], Row>('select * from events where stream = ? and revision = ?')
        .get(stream, revision - 1)!;
      db.prepare('delete from events where position = ?').run(position);
      db.prepare('update heads set revision = revision - 1, position = ? where stream = ?').run(before, stream);
    };
    const remove = (db: Database) => {
      const { stream } = last(db);
      for (const table of ['events', 'heads']) db.prepare(`delete from ${table} where stream = ?`).run(stream);
      db.prepare('delete from streams where id = ?').run(stream);
    };
    for (const tamper of [cut, remove]) {
      const path = tampered(tamper);
      expect((await verifier(path)).status).toBe(0);
      const against = ['--certificate', file('certificate.json')];
      const [theirs, mine] = [await verifier(path, ...against), await ours(`sqlite:${path}`, '--against', file('certificate.json'))];
      expect([theirs.status, theirs.out]).toEqual([1, expect.stringContaining('what was certified was changed or removed')]);
      expect([mine.status, mine.out]).toEqual([1, expect.stringContaining('userWallet-0')]);
    }
  });
});
