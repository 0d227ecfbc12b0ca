// Another process on the file of a test: node another-process.cjs <path> <attempts> <stream>...
// It appends to the streams in turn, at the revision that it reads, and prints the ids of the appends that it won.
const { randomUUID } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { resolve } = require('node:path');
const { transformSync } = require('@swc/core');

const root = resolve(__dirname, '../../../..');
const jsc = { target: 'es2023', parser: { syntax: 'typescript' }, baseUrl: root, paths: { '@ledger/*': ['libs/*/src'] } };

// Compiles the sources as they are required; jest's own transform does not reach a child process.
require.extensions['.ts'] = (module, filename) => {
  const options = { swcrc: false, jsc, module: { type: 'commonjs' } };
  module._compile(transformSync(readFileSync(filename, 'utf8'), { filename, ...options }).code, filename);
};
const { SqliteEventStore } = require('./sqlite-event-store.ts');

async function main([path, attempts, ...streams]) {
  const store = await SqliteEventStore.open(path);
  const won = [];
  for (let n = 0; n < Number(attempts); n++) {
    const stream = streams[n % streams.length];
    const event = { id: randomUUID(), type: 'TokensUsed', data: '{}', metadata: '{}' };
    const { revision } = await store.headOf(stream);
    try {
      await store.append(stream, revision, [event]);
      won.push(event.id);
    } catch (error) {
      if (error.name !== 'WrongExpectedRevision') throw error;
    }
  }
  await store.close();
  process.stdout.write(JSON.stringify(won));
}

void main(process.argv.slice(2));
