import type { StreamHead } from '../event-store';
import type { Connection } from './connection';

interface Asked {
  stream: string;
  resolve: (head: StreamHead) => void;
  reject: (error: unknown) => void;
}

/**
 * The heads that are asked for in one turn of the event loop are read together at its end, after the last of them was asked for: so
 * they share one look at the file, which locks it and costs more than the rest of a head.
 */
export class HeadReads {
  private asked: Asked[] = [];

  constructor(private readonly connection: Connection) {}

  of(stream: string): Promise<StreamHead> {
    return new Promise((resolve, reject) => {
      if (this.asked.push({ stream, resolve, reject }) === 1) setImmediate(() => void this.read());
    });
  }

  /** Whoever asks while it waits for a lock gets a read of the next turn. */
  private async read(): Promise<void> {
    const { asked } = this;
    this.asked = [];
    try {
      const heads = await this.connection.patiently((file) => file.headsOf(asked.map(({ stream }) => stream)));
      asked.forEach(({ resolve }, index) => resolve(heads[index]!));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }
}
