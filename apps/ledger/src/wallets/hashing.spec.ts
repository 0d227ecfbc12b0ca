import { v5, validate, version } from 'uuid';
import { EVENT_ID_NAMESPACE, hashing, uuidV7 } from './hashing';

describe('ids', () => {
  it('of events are the UUIDv5 that everybody else makes of the same hash', () => {
    for (let count = 0; count < 500; count += 1) {
      const hash = hashing.sha256(`event ${count}`);
      expect(hashing.idOf(hash)).toBe(v5(hash, EVENT_ID_NAMESPACE));
    }
    for (const text of ['', 'é€', '\u{1f600}', 'x'.repeat(300)]) expect(hashing.idOf(text)).toBe(v5(text, EVENT_ID_NAMESPACE));
    expect(hashing.idOf('fixed for ever')).toBe('804b2be0-884c-58b4-9163-f85fe52407f7');
  });

  it('that are generated are UUIDv7: valid, never the same, in the order of their time', () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => uuidV7(1_780_000_000_000 + index));
    expect(ids.every((id) => validate(id) && version(id) === 7)).toBe(true);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(Array.from({ length: 1_000 }, () => uuidV7(1_780_000_000_000))).size).toBe(1_000);
    expect(parseInt(uuidV7(1_780_000_000_000).replace('-', '').slice(0, 12), 16)).toBe(1_780_000_000_000);
  });

  it('rest on the SHA-256 of the bytes of UTF-8', () => {
    expect(hashing.sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(hashing.sha256('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
  });
});
