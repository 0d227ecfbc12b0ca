import { readJson } from '../certificates/certificate';
import { publicKeyBytes } from '../certificates/keys';
import { proofFault, proofFrom } from '../certificates/proof';
import { BadArguments, CLEAN, type Command, FINDINGS, flags } from './command';
import { shown } from './shown';

/** Checks a proof without the store. */
export const checkProof: Command = {
  summary: 'check a proof of one wallet; needs no store',
  usage: 'check-proof --proof FILE [--public-key FILE] [--json]',
  async run(args, { out, err }) {
    const text = { type: 'string' } as const;
    const values = flags(args, { proof: text, 'public-key': text, json: { type: 'boolean' } });
    if (values.proof === undefined) throw new BadArguments('--proof is needed.');
    const proof = proofFrom(readJson(values.proof, 'proof'), values.proof);
    const pinned = values['public-key'] === undefined ? undefined : publicKeyBytes(values['public-key']);
    const fault = proofFault(proof, pinned);
    const { head, event, certificate } = proof;
    const { balanceAfter } = JSON.parse(fault ? '{}' : event.data) as { balanceAfter?: unknown };
    if (values.json)
      out(JSON.stringify({ valid: fault === undefined, fault, head, type: event.type, balanceAfter, statement: certificate.statement, keyId: certificate.signature.keyId })); // prettier-ignore
    else if (fault) out(`The proof does not hold: ${fault}.`);
    else {
      out(
        `The proof holds: at position ${certificate.statement.position}, certified at ${shown(certificate.statement.issuedAt)}, ${shown(head.stream)} ended with revision ${head.revision} (${shown(event.type)}).`,
      );
      if (balanceAfter !== undefined) out(`The balance after it: ${shown(JSON.stringify(balanceAfter))}.`);
    }
    if (!pinned)
      err(`No --public-key was given, so whoever has any key can have made this: it was signed by ${certificate.signature.keyId}.`);
    return fault ? FINDINGS : CLEAN;
  },
};
