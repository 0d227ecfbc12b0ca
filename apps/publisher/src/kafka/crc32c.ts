const POLYNOMIAL = 0x82f63b78;
const BYTES_AT_ONCE = 8;
const BYTES = 256;

/** Part n of eight holds what each byte does to the checksum when n bytes follow it in its group. In one array, which is faster. */
const TABLE = table();

/** CRC-32C (Castagnoli), as Kafka wants it over a batch of records; eight bytes a step, where kafkajs' own takes one. */
export function crc32c(bytes: Uint8Array): number {
  const { length } = bytes;
  let crc = -1;
  let at = 0;
  for (; at + BYTES_AT_ONCE <= length; at += BYTES_AT_ONCE) {
    const four = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      TABLE[7 * BYTES + (four & 0xff)]! ^
      TABLE[6 * BYTES + ((four >>> 8) & 0xff)]! ^
      TABLE[5 * BYTES + ((four >>> 16) & 0xff)]! ^
      TABLE[4 * BYTES + (four >>> 24)]! ^
      TABLE[3 * BYTES + bytes[at + 4]!]! ^
      TABLE[2 * BYTES + bytes[at + 5]!]! ^
      TABLE[BYTES + bytes[at + 6]!]! ^
      TABLE[bytes[at + 7]!]!;
  }
  for (; at < length; at++) crc = TABLE[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function table(): Int32Array {
  const all = new Int32Array(BYTES_AT_ONCE * BYTES);
  for (let byte = 0; byte < BYTES; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    all[byte] = crc;
  }
  for (let at = BYTES; at < all.length; at++) all[at] = all[all[at - BYTES]! & 0xff]! ^ (all[at - BYTES]! >>> 8);
  return all;
}
