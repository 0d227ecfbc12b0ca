import type { StoredEvent } from '@ledger/event-store';
import type { ParquetWriter } from 'hyparquet-writer';
import { outWritten, type WholeFile } from '../cli/whole-file';
import { COLUMNS, type EventRow, rowOf } from './event-row';
import { newFile } from './output';

/** Events in one row group, which are held until it is written: about 15 MiB. */
const GROUP_ROWS = 10_000;

type ColumnType = 'INT64' | 'INT32' | 'STRING' | 'TIMESTAMP';

const TYPES: Readonly<Record<(typeof COLUMNS)[number], { type: ColumnType; nullable: boolean }>> = {
  position: { type: 'INT64', nullable: false },
  stream: { type: 'STRING', nullable: false },
  revision: { type: 'INT64', nullable: false },
  id: { type: 'STRING', nullable: false },
  type: { type: 'STRING', nullable: false },
  at: { type: 'TIMESTAMP', nullable: false },
  wallet: { type: 'STRING', nullable: false },
  tokens: { type: 'INT64', nullable: false },
  balance: { type: 'INT64', nullable: true },
  actor: { type: 'STRING', nullable: true },
  role: { type: 'STRING', nullable: true },
  requestId: { type: 'STRING', nullable: true },
  key: { type: 'STRING', nullable: true },
  data: { type: 'STRING', nullable: false },
  metadata: { type: 'STRING', nullable: false },
};

/** A Parquet file of events, one row each, in row groups of `GROUP_ROWS`. */
export class ParquetFile {
  private rows: EventRow[] = [];

  private constructor(
    private readonly file: string,
    private readonly whole: WholeFile,
    private readonly writer: ParquetWriter,
  ) {}

  /** @throws CouldNotRun when the file cannot be written */
  static async open(file: string): Promise<ParquetFile> {
    // Loaded when it is needed: the other formats do not wait for it.
    const { fileWriter, ParquetWriter, schemaFromColumnData } = await import('hyparquet-writer');
    const schema = schemaFromColumnData({ columnData: columnsOf([]) });
    const whole = newFile(file);
    try {
      // It writes by the name, to the file that is open already.
      const writer = outWritten(file, () => fileWriter(whole.part));
      const [ensure, finish] = [writer.ensure.bind(writer), writer.finish.bind(writer)];
      writer.ensure = (bytes) => outWritten(file, () => ensure(bytes));
      writer.finish = () => outWritten(file, finish);
      return new ParquetFile(file, whole, new ParquetWriter({ writer, schema, createdBy: 'token-ledger' }));
    } catch (error) {
      whole.discard();
      throw error;
    }
  }

  async add(page: readonly StoredEvent[]): Promise<void> {
    for (const stored of page) {
      this.rows.push(rowOf(stored));
      if (this.rows.length === GROUP_ROWS) await this.flush();
    }
  }

  async close(): Promise<void> {
    await this.flush();
    await this.writer.finish();
    outWritten(this.file, () => this.whole.close());
  }

  discard(): void {
    this.whole.discard();
  }

  private async flush(): Promise<void> {
    const columnData = columnsOf(this.rows).map(({ name, data }) => ({ name, data }));
    this.rows = [];
    await this.writer.write({ columnData, rowGroupSize: GROUP_ROWS });
  }
}

const columnsOf = (rows: readonly EventRow[]) =>
  COLUMNS.map((name) => ({ name, ...TYPES[name], data: rows.map((row) => cellOf(TYPES[name].type, row[name])) }));

function cellOf(type: ColumnType, value: EventRow[keyof EventRow]): unknown {
  if (value === undefined) return null;
  if (type === 'INT64') return BigInt(value);
  return type === 'TIMESTAMP' ? new Date(String(value)) : value;
}
