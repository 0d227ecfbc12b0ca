import { breaksBetween, breaksOf } from './compatibility';
import { PUBLISHED_FOLDER, readSchemas } from './cli/contract-files';
import { SCHEMAS } from './schemas/schemas';

interface Schema {
  [keyword: string]: unknown;
  properties: Record<string, Record<string, unknown>>;
  required: string[];
}

const WHOLE = { type: 'integer', minimum: 1, maximum: 100 };
const before = (): Schema => ({
  $id: 'urn:test:1',
  type: 'object',
  title: 'A test',
  properties: {
    tokens: { ...WHOLE },
    source: { type: 'string', enum: ['free', 'purchased'] },
    kind: { type: 'string', const: 'hosting' },
    memo: { type: 'string', minLength: 1, maxLength: 200 },
    month: { type: 'string', pattern: '^[0-9]{4}-[0-9]{2}$' },
    limit: { type: ['integer', 'null'], minimum: 0, maximum: 10 },
    line: { type: 'array', prefixItems: [{ type: 'string' }, { ...WHOLE }], minItems: 2, maxItems: 2, items: false },
    list: { type: 'array', items: { type: 'object', properties: { inner: { ...WHOLE } }, required: ['inner'] }, minItems: 0, maxItems: 9 },
    choice: {
      oneOf: [
        { type: 'object', properties: { a: { ...WHOLE } }, required: ['a'] },
        { type: 'string', enum: ['b'] },
      ],
    },
  },
  required: ['tokens', 'source', 'kind', 'line', 'list'],
  additionalProperties: false,
  oneOf: [{ required: ['memo'] }, { required: ['month'] }],
});

const changed = (change: (schema: Schema) => void): Schema => {
  const schema = structuredClone(before());
  change(schema);
  return schema;
};
const field = (schema: Schema, name: string): Record<string, unknown> => schema.properties[name]!;
const inner = (schema: Schema): Schema => field(schema, 'list')['items'] as Schema;

describe('a change of a schema', () => {
  it.each<[string, (schema: Schema) => void]>([
    ['nothing', () => undefined],
    ['other words', (schema) => Object.assign(schema, { title: 'Another', description: 'More', examples: [{}] })],
    ['other words of a field', (schema) => Object.assign(field(schema, 'tokens'), { description: 'Some', examples: [7] })],
    ['a new field that may be left out', (schema) => (schema.properties['fresh'] = { type: 'string' })],
    ['such a field further in', (schema) => (inner(schema).properties['fresh'] = { type: 'string' })],
    ['fields in another order', (schema) => (schema.properties = Object.fromEntries(Object.entries(schema.properties).reverse()))],
    ['required in another order', (schema) => schema.required.reverse()],
    ['an enum in another order', (schema) => (field(schema, 'source')['enum'] = ['purchased', 'free'])],
    ['a constant written as an enum', (schema) => (schema.properties['kind'] = { type: 'string', enum: ['hosting'] })],
  ])('may be: %s', (_, change) => {
    expect(breaksOf(before(), changed(change))).toEqual([]);
  });

  it.each<[string, string, RegExp, (schema: Schema) => void]>([
    ['a field removed', '/memo', /was removed/, (schema) => delete schema.properties['memo']],
    ['a required field removed', '/tokens', /was removed/, (schema) => delete schema.properties['tokens']],
    [
      'a field renamed',
      '/memo',
      /renamed to "note"/,
      (schema) => {
        schema.properties['note'] = { ...field(schema, 'memo'), description: 'With other words' };
        delete schema.properties['memo'];
      },
    ],
    [
      'a required field that may be left out',
      '/source',
      /may be left out now/,
      (schema) => (schema.required = schema.required.filter((name) => name !== 'source')),
    ],
    ['a field that must be there', '/memo', /required now.*stored already/, (schema) => schema.required.push('memo')],
    [
      'a new field that must be there',
      '/fresh',
      /required now.*let it be left out/,
      (schema) => {
        schema.properties['fresh'] = { type: 'string' };
        schema.required.push('fresh');
      },
    ],
    ['another type', '/tokens', /"integer" is gone/, (schema) => (field(schema, 'tokens')['type'] = 'string')],
    ['a wider type', '/tokens', /"integer" is gone/, (schema) => (field(schema, 'tokens')['type'] = 'number')],
    ['null where there was none', '/tokens', /"null" is new/, (schema) => (field(schema, 'tokens')['type'] = ['integer', 'null'])],
    ['no null where there was one', '/limit', /"null" is gone/, (schema) => (field(schema, 'limit')['type'] = 'integer')],
    ['a value fewer', '/source', /"free" is gone/, (schema) => (field(schema, 'source')['enum'] = ['purchased'])],
    [
      'a value more',
      '/source',
      /"allocated" is new: readers/,
      (schema) => (field(schema, 'source')['enum'] = ['free', 'purchased', 'allocated']),
    ],
    [
      'a constant that is a choice',
      '/kind',
      /"storage" is new/,
      (schema) => (schema.properties['kind'] = { type: 'string', enum: ['hosting', 'storage'] }),
    ],
    ['a text that is a choice', '/memo', /restricted to "a"/, (schema) => (field(schema, 'memo')['enum'] = ['a'])],
    ['a choice that is any text', '/source', /no longer restricted/, (schema) => delete field(schema, 'source')['enum']],
    ['a narrower maximum', '/tokens', /100 to 99: facts/, (schema) => (field(schema, 'tokens')['maximum'] = 99)],
    ['a wider maximum', '/tokens', /100 to 101: readers/, (schema) => (field(schema, 'tokens')['maximum'] = 101)],
    ['a narrower minimum', '/tokens', /1 to 2: facts/, (schema) => (field(schema, 'tokens')['minimum'] = 2)],
    ['a wider minimum', '/tokens', /1 to 0: readers/, (schema) => (field(schema, 'tokens')['minimum'] = 0)],
    ['no maximum', '/tokens', /"maximum" 100 is gone/, (schema) => delete field(schema, 'tokens')['maximum']],
    ['a minimum of properties', '', /"minProperties" 1 is new/, (schema) => (schema['minProperties'] = 1)],
    ['another pattern', '/month', /"pattern" is another/, (schema) => (field(schema, 'month')['pattern'] = '^.*$')],
    ['a pattern where there was none', '/memo', /"pattern" is another/, (schema) => (field(schema, 'memo')['pattern'] = '^a$')],
    ['a keyword that nobody knows', '/memo', /"format" is another/, (schema) => (field(schema, 'memo')['format'] = 'email')],
    ['an open object', '', /"additionalProperties" is another/, (schema) => (schema['additionalProperties'] = true)],
    ['another $id', '', /"\$id" is another/, (schema) => (schema['$id'] = 'urn:test:2')],
    ['a place more', '/line/[]', /3 places instead of 2/, (schema) => (field(schema, 'line')['prefixItems'] as unknown[]).push({})],
    [
      'a place of another type',
      '/line/[0]',
      /"string" is gone/,
      (schema) => ((field(schema, 'line')['prefixItems'] as { type: string }[])[0]!.type = 'integer'),
    ],
    ['places without end', '/line/[]', /described otherwise/, (schema) => (field(schema, 'line')['items'] = true)],
    ['a field removed further in', '/list/[]/inner', /was removed/, (schema) => delete inner(schema).properties['inner']],
    ['a shorter list', '/list', /"maxItems" went from 9 to 8: facts/, (schema) => (field(schema, 'list')['maxItems'] = 8)],
    [
      'an alternative more',
      '/choice',
      /3 alternatives instead of 2/,
      (schema) => (field(schema, 'choice')['oneOf'] as unknown[]).push({ type: 'null' }),
    ],
    [
      'an alternative that changed',
      '/choice/(2)',
      /"c" is new/,
      (schema) => (((field(schema, 'choice')['oneOf'] as unknown[])[1] as { enum: string[] }).enum = ['b', 'c']),
    ],
    [
      'a rule between fields that changed',
      '/(1)',
      /"kind" is required now/,
      (schema) => ((schema['oneOf'] as { required: string[] }[])[0]!.required = ['memo', 'kind']),
    ],
  ])('may not be: %s', (_, place, sentence, change) => {
    const breaks = breaksOf(before(), changed(change));
    expect(breaks.map((one) => one.place)).toContain(place);
    expect(breaks.find((one) => one.place === place)?.change).toMatch(sentence);
  });
});

describe('the contract', () => {
  const one = { name: 'A.v1', schema: before() };

  it('may have another type of event, and other versions beside the old one', () => {
    expect(breaksBetween([one], [one, { name: 'B.v1', schema: {} }, { name: 'A.v2', schema: {} }])).toEqual([]);
  });

  it('may not lose a version', () => {
    expect(breaksBetween([one], [{ name: 'A.v2', schema: before() }])).toEqual([
      { place: 'A.v1', change: expect.stringMatching(/removed or renamed/) as unknown },
    ]);
  });

  it('breaks no promise and no stored fact today', () => {
    const published = readSchemas(PUBLISHED_FOLDER);
    expect(published.length).toBeGreaterThan(20);
    expect(breaksBetween(published, SCHEMAS)).toEqual([]);
  });

  it('would notice: every single field that is removed from what is published now', () => {
    for (const published of SCHEMAS) {
      const fields = Object.keys(published.schema['properties'] as object);
      for (const name of fields) {
        const schema = structuredClone(published.schema) as unknown as Schema;
        delete schema.properties[name];
        expect(breaksBetween([published], [{ ...published, schema }]).map(({ place }) => place)).toContain(`${published.name} /${name}`);
      }
    }
  });
});
