import { oneLine, shown } from './shown';

it('makes a text one line that no terminal takes for more than a text', () => {
  expect(oneLine('week 48: Grüße, 1 €')).toBe('week 48: Grüße, 1 €');
  expect(oneLine('a\nb\r\t\u001b[2J\u009b1m\u202e\u2028c\u{e0001}')).toBe(
    'a\\u000ab\\u000d\\u0009\\u001b[2J\\u009b1m\\u202e\\u2028c\\udb40\\udc01',
  );
});

it('shortens what is long', () => {
  expect(shown('é\n')).toBe('\\u00e9\\u000a');
  expect(shown('x'.repeat(200))).toBe('x'.repeat(200));
  expect(shown('x'.repeat(201))).toBe(`${'x'.repeat(200)}... (201 characters)`);
});
