import { StoreUnavailable } from '../event-store';
import { Slots } from './slots';

const deferred = () => {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { ended, end };
};

describe('slots', () => {
  it('let so many work at once, and the next in the order in which they came', async () => {
    const slots = new Slots(2, 10, 60_000);
    const works = Array.from({ length: 4 }, deferred);
    const begun: number[] = [];
    const all = works.map(({ ended }, n) =>
      slots.run(async () => {
        begun.push(n);
        await ended;
      }),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    works[1]!.end();
    await all[1];
    expect(begun).toEqual([0, 1, 2]);
    works.forEach(({ end }) => end());
    await Promise.all(all);
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('give the place on when a work fails', async () => {
    const slots = new Slots(1, 10, 60_000);
    await expect(slots.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await slots.run(() => Promise.resolve(1))).toBe(1);
  });

  it('refuse whoever waits too long, and whoever comes when too many wait, before their work begins', async () => {
    const slots = new Slots(1, 1, 5);
    const first = deferred();
    const working = slots.run(() => first.ended);
    const begun = jest.fn(() => Promise.resolve());
    const waiting = slots.run(begun);
    await expect(slots.run(begun)).rejects.toThrow(StoreUnavailable);
    await expect(waiting).rejects.toThrow(/had no turn within/);
    first.end();
    await working;
    expect(begun).not.toHaveBeenCalled();
    await slots.run(begun);
    expect(begun).toHaveBeenCalledTimes(1);
  });
});
