/** How settings are read from environment variables: checked and typed once, refused with a sentence that names them. */

/** A setting that cannot be served. The message is one sentence that names it, and never a secret. */
export class BadSetting extends Error {
  constructor(name: string, reason: string) {
    super(`${name} ${reason}`);
    this.name = 'BadSetting';
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable counts as unset: that is how shells and compose files clear one. */
export function text(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

export function wholeNumber(env: Environment, name: string, fallback: number, min: number, max: number): number {
  const value = text(env, name);
  if (value === undefined) return fallback;
  const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (!(number >= min && number <= max)) throw new BadSetting(name, `must be a whole number from ${min} to ${max}, and is "${value}".`);
  return number;
}

export function oneOf<Choice extends string>(env: Environment, name: string, fallback: Choice, choices: readonly Choice[]): Choice {
  const value = text(env, name);
  if (value === undefined) return fallback;
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw new BadSetting(name, `must be ${choices.join(' or ')}, and is "${value}".`);
  return choice;
}

/** Comma-separated, without empty entries; every one must match. */
export function list(env: Environment, name: string, entry: RegExp, meant: string): readonly string[] {
  const entries = (text(env, name) ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
  const wrong = entries.find((one) => !entry.test(one));
  if (wrong !== undefined) throw new BadSetting(name, `must be ${meant}, separated by commas, and has "${wrong}".`);
  return entries;
}
