import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface EchoChild {
  url: string;
  stop(): void;
}

export function startEcho(): Promise<EchoChild> {
  const child = spawn(process.execPath, [join(__dirname, 'echo-server.js')], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the echo ended with status ${code} instead of listening`)));
    child.stdout.setEncoding('utf8').once('data', (line: string) => resolve({ url: line.trim(), stop: () => child.kill('SIGTERM') }));
  });
}
