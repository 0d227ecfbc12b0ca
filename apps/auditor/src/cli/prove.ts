import { canonical, streamOf, type WalletRef, WALLET_ID_PATTERN } from '@ledger/wallet';
import { certificateFault, merkleRootOf, readCertificate } from '../certificates/certificate';
import { readHeads } from '../certificates/heads-file';
import { publicKeyBytes } from '../certificates/keys';
import { proofOf } from '../certificates/proof';
import { headsAt } from '../reading/heads-at';
import { BadArguments, CLEAN, type Command, CouldNotRun, flags, openStore, storeUrl } from './command';
import { writeOut } from './whole-file';

/** A proof of one wallet under a certificate. */
export const prove: Command = {
  summary: 'prove to a third party how a wallet stood when a certificate was made',
  usage: 'prove --wallet user:<id>|organisation:<id> --certificate FILE [--public-key FILE] [--out FILE] [--event-store URL]',
  async run(args, { env, out }) {
    const text = { type: 'string' } as const;
    const values = flags(args, { wallet: text, certificate: text, 'public-key': text, out: text, 'event-store': text });
    if (values.wallet === undefined || values.certificate === undefined) throw new BadArguments('--wallet and --certificate are needed.');
    const stream = streamOf(walletFrom(values.wallet));
    const certificate = readCertificate(values.certificate);
    const pinned = values['public-key'] === undefined ? undefined : publicKeyBytes(values['public-key']);
    const fault = certificateFault(certificate, pinned);
    if (fault) throw new CouldNotRun(`The certificate ${values.certificate} is not to be trusted: ${fault}.`);
    const { merkleRoot, position } = certificate.statement;
    const store = await openStore(storeUrl(values['event-store'], env));
    try {
      let heads = readHeads(values.certificate);
      if (!heads || merkleRootOf(heads) !== merkleRoot) heads = await headsAt(store, BigInt(position));
      if (merkleRootOf(heads) !== merkleRoot)
        throw new CouldNotRun('The store is not the one that was certified: "verify --against" says where.');
      const index = heads.findIndex((head) => head.stream === stream);
      if (index < 0) throw new CouldNotRun(`${values.wallet} was not there when the certificate was made.`);
      const [event] = await store.readStream(stream, heads[index]!.revision, 1);
      if (!event) throw new CouldNotRun(`${stream} has no revision ${heads[index]!.revision} any more: "verify --against" says more.`);
      const { id, type, data, metadata } = event;
      const proof = canonical(proofOf(certificate, heads, index, { id, type, data, metadata }));
      if (values.out === undefined) out(proof);
      else writeOut(values.out, `${proof}\n`);
      return CLEAN;
    } finally {
      await store.close();
    }
  },
};

function walletFrom(text: string): WalletRef {
  const [kind, id = ''] = text.split(/:(.*)/s);
  if ((kind !== 'user' && kind !== 'organisation') || !WALLET_ID_PATTERN.test(id))
    throw new BadArguments(`--wallet takes user:<id> or organisation:<id>; "${text}" is neither.`);
  return { kind, id };
}
