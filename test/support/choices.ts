import { hash32 } from '../../apps/demo/src/random';

/** A stream of seeded choices. */
export class Choices {
  private drawn = 0;

  constructor(private readonly seed: number) {}

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    return hash32(this.seed, this.drawn++) % below;
  }

  from(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  some<Item>(items: readonly Item[], count: number): Item[] {
    const left = [...items];
    return Array.from({ length: Math.min(count, left.length) }, () => left.splice(this.below(left.length), 1)[0]!);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}
