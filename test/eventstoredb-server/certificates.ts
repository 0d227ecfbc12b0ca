/** A self-signed authority and a certificate for this machine, kept in the data folder so that a restart is still trusted. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { generate } from 'selfsigned';

export interface Certificate {
  key: Buffer;
  chain: Buffer;
  /** What a client trusts: `tlsCAFile` of its connection string. */
  caPath: string;
}

const DAY_MS = 86_400_000;
const DAYS = 365;

export async function certificateIn(folder: string): Promise<Certificate> {
  const path = (name: string) => resolve(join(folder, 'tls', name));
  if (!existsSync(path('server.crt'))) {
    mkdirSync(join(folder, 'tls'), { recursive: true });
    await makeCertificates(path);
  }
  return { key: readFileSync(path('server.key')), chain: readFileSync(path('server.crt')), caPath: path('ca.crt') };
}

/** The certificate is written last: with it, all of them are there. */
async function makeCertificates(path: (name: string) => string): Promise<void> {
  const common = { keyType: 'ec', algorithm: 'sha256', notAfterDate: new Date(Date.now() + DAYS * DAY_MS) } as const;
  const authority = await generate([{ name: 'commonName', value: 'eventstoredb test authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  writeFileSync(path('ca.crt'), authority.cert);
  writeFileSync(path('server.key'), server.private, { mode: 0o600 });
  writeFileSync(path('server.crt'), server.cert);
}
