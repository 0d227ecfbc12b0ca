// Nest 12, uuid 14 and others are ESM only, and Jest can require() an ES module on Node >= 24.9 alone.
// So the installed ESM packages are found here and compiled to CommonJS by swc (cached); the rest of node_modules is left alone.
const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

function esmPackages(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory() || entry.name.startsWith('.')) return [];
    const path = join(folder, entry.name);
    if (entry.name.startsWith('@')) return esmPackages(path);
    const manifest = join(path, 'package.json');
    const esm = existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).type === 'module';
    return [...(esm ? [path] : []), ...esmPackages(join(path, 'node_modules'))];
  });
}
const modules = join(__dirname, 'node_modules');
const esm = esmPackages(modules).map((path) => path.slice(modules.length + 1).replace(/[.+]/g, '\\$&'));

const swc = (parser, sourceMaps) => [
  '@swc/jest',
  {
    swcrc: false,
    jsc: {
      target: 'es2023',
      parser,
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
      keepClassNames: true,
    },
    module: { type: 'commonjs' },
    sourceMaps,
  },
];

const common = {
  rootDir: __dirname,
  testEnvironment: 'node',
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  moduleFileExtensions: ['js', 'ts', 'mjs', 'json', 'node'],
  setupFiles: ['reflect-metadata'],
  transform: {
    '^.+\\.ts$': swc({ syntax: 'typescript', decorators: true }, 'inline'),
    '^.+\\.m?js$': swc({ syntax: 'ecmascript' }, false),
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esm.join('|')})/)`],
  moduleNameMapper: { '^@ledger/([^/]+)$': '<rootDir>/libs/$1/src' },
};

/** @type {import('jest').Config} */
module.exports = {
  // unit: pure or in process. e2e: the real app, processes that are started and killed. chaos: the long ones, for .ci/run.
  // A worker a core: end-to-end tests start processes of their own.
  maxWorkers: 2,
  projects: [
    { ...common, displayName: 'unit', testRegex: '\\.spec\\.ts$' },
    { ...common, displayName: 'e2e', testRegex: '\\.e2e-spec\\.ts$' },
    { ...common, displayName: 'chaos', testRegex: '\\.chaos-spec\\.ts$' },
    // With a real broker, which the tests start themselves.
    { ...common, displayName: 'kafka', testRegex: '\\.kafka-spec\\.ts$' },
    // With the wire-compatible test server, or with the real one that EVENTSTOREDB_URL names.
    { ...common, displayName: 'eventstoredb', testRegex: '\\.eventstoredb-spec\\.ts$' },
  ],
};
