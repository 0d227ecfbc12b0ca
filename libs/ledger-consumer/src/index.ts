export * from './applying';
export * from './balances';
export * from './effects';
export * from './ledger-consumer';
export * from './received';
export * from './revision-rule';
