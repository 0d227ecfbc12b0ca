#!/usr/bin/env python3
"""Checks a token ledger without any of its code: written from docs/audit-format.md alone.
verify.py STORE [--certificate FILE] [--public-key KEY]   STORE: the SQLite file, or an export in JSON Lines (.jsonl)
verify.py --proof FILE [--public-key KEY]                 KEY: a PEM file with the pinned key
Ends with 0 (clean), 1 (findings) or 2 (could not run).
"""
import argparse, base64, hashlib, json, os, re, sqlite3, sys, uuid
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

findings, NAMESPACE = [], uuid.UUID('5b3d9a52-6f0e-4c63-9a0b-2f1c7d5e8a41')
STREAM, AT = r'(organisation|user)Wallet-(?!\.{1,2}$)[A-Za-z0-9._~-]{1,64}', r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z'
NEEDED = {'$causationId', '$correlationId', 'actor', 'hash', 'previousHash', 'requestId', 'role', 'schema'}
ALLOWED = NEEDED | {'client', 'contentHash', 'key', 'traceparent'}
KEYLESS = ('UserWalletOpened', 'FreeAllowanceGranted', 'LimitReached', 'AllocationReceived')
digest = lambda data: hashlib.sha256(data).digest()
unbase64 = lambda text: base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
as_bytes = lambda text: text.encode('utf-8', 'surrogatepass')
parse = lambda text: json.loads(text, parse_float=int, parse_constant=int)  # int() refuses fractions and NaN

def check(holds, where, sentence):
    if not holds:
        findings.append(f'{where}: {sentence}')

def canonical(value):
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode('utf-16-be', 'surrogatepass'))
        return '{' + ','.join(f'{canonical(name)}:{canonical(value[name])}' for name in names) + '}'
    if isinstance(value, list):
        return '[' + ','.join(map(canonical, value)) + ']'
    return json.dumps(value, ensure_ascii=False)

def rows_of_sqlite(path):
    store = sqlite3.connect(f'file:{os.path.abspath(path)}?mode=ro', uri=True)
    store.text_factory = lambda data: data.decode('utf-8', 'surrogateescape')
    return store.execute('select position, stream, revision, type, data, metadata, id from ledger order by position')

def rows_of_lines(path):
    for line in open(path, encoding='utf-8', errors='surrogateescape', newline='\n'):
        row = json.loads(line)
        # The stored text itself stands in the line, so what is not canonical is not found there again.
        texts = [row.get(f'{part}Text', canonical(row.get(part))) for part in ('data', 'metadata')]
        as_stored = all(f'{part}Text' in row or f'"{part}":{text}' in line for part, text in zip(('data', 'metadata'), texts))
        yield int(row['position']), row['stream'], row['revision'], row['type'], *(texts if as_stored else ('', '')), row['id']

def canonical_object(where, name, text):
    try:
        value = parse(text)
        if isinstance(value, dict) and canonical(value).encode() == text.encode():
            return value
    except (ValueError, RecursionError):
        value = {}
    check(False, where, f'{name} is not canonical JSON of an object')
    return value if isinstance(value, dict) else {}

def event_hash(previous, data, metadata, revision, kind):
    rest = canonical({name: value for name, value in metadata.items() if name != 'hash'})
    return digest(as_bytes(f'{previous}{{"data":{data},"metadata":{rest},"revision":{revision},"type":"{kind}"}}')).hex()

def check_metadata(where, kind, metadata):
    texts = all(isinstance(value, str) for value in metadata.values())
    check(NEEDED <= set(metadata) <= ALLOWED and texts, where, 'metadata lacks members, or has others, or what is no text')
    schema, cause, request, key, content = map(metadata.get, ('schema', '$causationId', 'requestId', 'key', 'contentHash'))
    check(schema == '1' and cause == request, where, 'the schema is unknown, or the cause is not the request')
    keyed = re.fullmatch(r'[\x21-\x7e]{1,200}', str(key)) and re.fullmatch('[0-9a-f]{64}', str(content)) and kind not in KEYLESS
    check(key is content is None or None not in (key, content) and keyed, where, 'key or content hash may not stand here so')

def check_store(rows, until):
    """Answers the first id, the last position, the count of events, and the heads of the streams up to a position."""
    heads, covered, instants, mark, last, count = {}, {}, {}, None, -1, 0
    for position, stream, revision, kind, data_text, metadata_text, event_id in rows:
        where, mark, count = f'{stream} revision {revision} (event {event_id})', mark or event_id, count + 1
        check(position > last, where, f'position {position} does not grow')
        check(re.fullmatch(STREAM, stream), where, 'no wallet has such a stream')
        before, previous = heads.get(stream, (-1, digest(as_bytes(stream)).hex()))
        check(revision == before + 1, where, f'the revision should be {before + 1}')
        data, metadata = canonical_object(where, 'data', data_text), canonical_object(where, 'metadata', metadata_text)
        check_metadata(where, kind, metadata)
        check(metadata.get('previousHash') == previous, where, f'previousHash should be {previous}')
        computed = event_hash(previous, data_text, metadata, revision, kind)
        check(metadata.get('hash') == computed, where, f'hash should be {computed}')
        check(event_id == str(uuid.uuid5(NAMESPACE, str(metadata.get('hash')))), where, 'the id does not follow from the hash')
        at = str(data.get('at'))
        check(re.fullmatch(AT, at) and at >= instants.get(stream, ''), where, f'at {at} is no instant or is before the event before')
        instants[stream], last, heads[stream] = at, position, (revision, str(metadata.get('hash')))
        if until is None or position <= until:
            covered[stream] = heads[stream]
    return mark, last, count, covered

def merkle_root(leaves):
    if len(leaves) < 2:
        return digest(b'\0' + leaves[0] if leaves else b'')
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return digest(b'\1' + merkle_root(leaves[:k]) + merkle_root(leaves[k:]))

def check_certificate(certificate, pinned):
    statement, signature = certificate['statement'], certificate['signature']
    key, known = unbase64(signature['publicKey']), (statement['format'], signature['algorithm'])
    check(known == ('token-ledger-certificate/1', 'Ed25519'), 'certificate', 'its format or algorithm is unknown')
    check(pinned in (None, key), 'certificate', 'it was signed with another key than the pinned one')
    check(signature['keyId'] == digest(key).hex(), 'certificate', 'keyId is not that of its key')
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(unbase64(signature['value']), canonical(statement).encode())
    except (InvalidSignature, ValueError):
        check(False, 'certificate', 'the signature is wrong')
    return statement

def check_proof(proof, pinned):
    statement, head, event, path = check_certificate(proof['certificate'], pinned), proof['head'], proof['event'], proof['path'][:]
    r, i, n = digest(b'\0' + canonical(head).encode()), proof['index'], statement['streams'] - 1
    check(proof['format'] == 'token-ledger-proof/1' and 0 <= i <= n, 'proof', 'its format is unknown, or its index too large')
    while n > 0:
        beside = bytes.fromhex(path.pop(0)) if path and (i % 2 or i < n) else b''
        r = digest(b'\1' + beside + r) if i % 2 else digest(b'\1' + r + beside) if i < n else r
        i, n = i // 2, n // 2
    check(not path and r.hex() == statement['merkleRoot'], 'proof', 'the path does not lead to the root of the certificate')
    metadata = parse(event['metadata'])
    computed = event_hash(metadata['previousHash'], event['data'], metadata, head['revision'], event['type'])
    check(computed == metadata['hash'] == head['hash'] and event['id'] == str(uuid.uuid5(NAMESPACE, computed)), 'proof', 'the event is not that of the head')
    return f"{head['stream']} ended with event {head['revision']}, at {canonical(parse(event['data'])['balanceAfter'])}"

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('store', '--certificate', '--public-key', '--proof'):
        parser.add_argument(name, nargs='?')
    asked, load = parser.parse_args(), lambda path: json.load(open(path, encoding='utf-8'))
    pinned = load_pem_public_key(open(asked.public_key, 'rb').read()).public_bytes_raw() if asked.public_key else None
    if asked.proof:
        told = check_proof(load(asked.proof), pinned)
    else:
        statement = check_certificate(load(asked.certificate), pinned) if asked.certificate else None
        rows = rows_of_lines if asked.store.endswith('.jsonl') else rows_of_sqlite
        mark, last, count, heads = check_store(rows(asked.store), int(statement['position']) if statement else None)
        leaves = [canonical({'stream': name, 'revision': heads[name][0], 'hash': heads[name][1]}) for name in sorted(heads)]
        root, certified = merkle_root([leaf.encode() for leaf in leaves]).hex(), sum(revision + 1 for revision, _ in heads.values())
        told = f'{count} events, {len(heads)} streams, root {root}'
        if statement:
            check(mark == statement['mark'], 'store', 'it is not the store that was certified')
            check(last >= int(statement['position']), 'store', 'it ends before what was certified: it was cut off or rolled back')
            same = [root, certified, len(heads)] == [statement[name] for name in ('merkleRoot', 'events', 'streams')]
            check(same, 'store', 'what was certified was changed or removed, or something was put in before its end')
    print('\n'.join(findings[:100] + [f'{len(findings)} findings: {told}' if findings else f'clean: {told}']))
    return len(findings) > 0

try:
    sys.exit(main())
except (OSError, sqlite3.Error, ValueError, KeyError, TypeError, AttributeError) as error:
    print(f'could not run: {type(error).__name__}: {error}', file=sys.stderr)
    sys.exit(2)
