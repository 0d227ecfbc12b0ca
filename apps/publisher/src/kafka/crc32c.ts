const POLYNOMIAL = 0x82f63b78;
const BYTES_AT_ONCE = 8;

/** TABLES[n][byte]: what a byte does to the checksum when n bytes follow it in its group of eight. */
const TABLES = tables();

/** CRC-32C (Castagnoli), as Kafka wants it over a batch of records; eight bytes a step, where kafkajs' own takes one. */
export function crc32c(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  const { length } = bytes;
  let crc = -1;
  let at = 0;
  for (; at + BYTES_AT_ONCE <= length; at += BYTES_AT_ONCE) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      t7[crc & 0xff]! ^
      t6[(crc >>> 8) & 0xff]! ^
      t5[(crc >>> 16) & 0xff]! ^
      t4[crc >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!;
  }
  for (; at < length; at++) crc = t0[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

type Table = Int32Array;
type Tables = readonly [Table, Table, Table, Table, Table, Table, Table, Table];

function tables(): Tables {
  const all = Array.from({ length: BYTES_AT_ONCE }, () => new Int32Array(256));
  const [first, ...others] = all as [Table, ...Table[]];
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    let crc = first[byte]!;
    for (const table of others) table[byte] = crc = first[crc & 0xff]! ^ (crc >>> 8);
  }
  return all as unknown as Tables;
}
