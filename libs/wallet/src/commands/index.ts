export * from './billing-commands';
export * from './command';
export * from './fields';
export * from './organisation-commands';
export * from './user-commands';
