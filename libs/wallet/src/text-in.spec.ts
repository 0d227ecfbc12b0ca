import { textIn } from './text-in';

describe('textIn', () => {
  it.each([
    [{ key: 'k1', actor: 'ann' }, 'k1'],
    [{ actor: 'ann', key: 'a "quoted" \\ key' }, 'a "quoted" \\ key'],
    [{ actor: 'key', role: ':"x"', key: 'k1' }, 'k1'],
    [{ actor: '"key":"wrong"', key: 'right' }, 'right'],
    [{ actor: 'key' }, undefined],
    [{ actor: 'ann' }, undefined],
    [{ key: '' }, ''],
  ])('finds the key of %j', (metadata, key) => {
    expect(textIn(JSON.stringify(metadata), 'key')).toBe(key);
    expect(textIn(JSON.stringify(metadata, undefined, 2), 'key')).toBe(key);
  });
});
