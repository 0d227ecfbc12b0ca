/** Specs of the wire run on the test server, or on the real one that EVENTSTOREDB_URL names. */
import { ServerUnderTest, type ServerSettings } from './server-under-test';

/** A connection string of a real server, whose user may read $all; undefined runs the test server. */
export const REAL_URL = process.env.EVENTSTOREDB_URL;

/** `describe` of what needs faults, which nobody can switch on in a real server. */
export const describeOnTestServer: typeof describe = REAL_URL === undefined ? describe : describe.skip;

if (REAL_URL !== undefined) console.warn('EVENTSTOREDB_URL names a real server: what needs the faults of the test server is skipped.');

export interface AnyServer {
  url: string;
  stop(): Promise<void>;
}

export async function anyServer(settings: ServerSettings = {}): Promise<AnyServer> {
  if (REAL_URL !== undefined) return { url: REAL_URL, stop: async () => undefined };
  const server = await ServerUnderTest.start(settings);
  return { url: server.url(), stop: () => server.stop() };
}
