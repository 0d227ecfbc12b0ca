/** class-transformer keeps the store of @Type metadata out of its index; class-validator-jsonschema needs it for nested classes. */
declare module 'class-transformer/cjs/storage' {
  import type { MetadataStorage } from 'class-transformer/types/MetadataStorage';
  export const defaultMetadataStorage: MetadataStorage;
}
