import { writeKeys } from '../certificates/keys';
import { BadArguments, CLEAN, type Command, flags } from './command';

/** A pair of keys for certificates. */
export const keygen: Command = {
  summary: 'make a pair of Ed25519 keys that sign and check certificates',
  usage: 'keygen --out PRIVATE.pem [--public-out PUBLIC.pem]',
  async run(args, { out }) {
    const values = flags(args, { out: { type: 'string' }, 'public-out': { type: 'string' } });
    if (values.out === undefined) throw new BadArguments('--out names the file for the private key.');
    const publicOut = values['public-out'] ?? `${values.out.replace(/\.pem$/, '')}.pub.pem`;
    const keyId = writeKeys(values.out, publicOut);
    out(`Wrote the private key to ${values.out} (keep it away from the store) and the public key to ${publicOut}.`);
    out(`The key is ${keyId}: publish this, or the public key, where the store's keepers cannot change it.`);
    return CLEAN;
  },
};
