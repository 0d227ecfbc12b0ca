export * from './event-store';
export { SqliteEventStore, type SqliteEventStoreOptions } from './sqlite/sqlite-event-store';
export * from './ask';
export * from './mailbox';
export * from './mailboxes';
