export * from './event-store';
export { SqliteEventStore, type SqliteEventStoreOptions } from './sqlite/sqlite-event-store';
export { ScannedPage } from './sqlite/scanned-page';
export { type ScannedFact, type ScannedHead, type ScanPart, SqliteScan } from './sqlite/scanning';
export * from './ask';
export { load } from './loading';
export * from './opening';
export * from './mailbox';
export * from './mailboxes';
