/** The answers inside a batch append, where errors are packed messages, not statuses of the call. */
import { Any } from 'google-protobuf/google/protobuf/any_pb';
import { Empty as GoogleEmpty } from 'google-protobuf/google/protobuf/empty_pb';
import { Code } from '@eventstore/db-client/generated/code_pb';
import {
  AccessDenied,
  MaximumAppendSizeExceeded,
  StreamDeleted,
  Timeout,
  Unknown,
  WrongExpectedVersion,
} from '@eventstore/db-client/generated/shared_pb';
import { Status } from '@eventstore/db-client/generated/status_pb';
import { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb';
import type { Message } from 'google-protobuf';
import type { AppendOutcome, ExpectedRevision } from './appending';
import { identifierOf, positionOf } from './wire';

const PACKAGE = 'event_store.client';

function failed(code: Code, message: string, details: Message, typeName: string): BatchAppendResp {
  const packed = new Any();
  packed.pack(details.serializeBinary(), typeName);
  return new BatchAppendResp().setError(new Status().setCode(code).setMessage(message).setDetails(packed));
}

export function failedAppend(
  why: 'Timeout' | 'NotReady' | 'Busy' | 'StreamDeleted' | 'AccessDenied' | 'Unknown',
  stream = '',
): BatchAppendResp {
  switch (why) {
    case 'Timeout':
      return failed(Code.DEADLINE_EXCEEDED, 'Timeout', new Timeout(), `${PACKAGE}.Timeout`);
    case 'NotReady':
      return failed(Code.OK, 'Server Is Not Ready', new GoogleEmpty(), 'google.protobuf.Empty');
    case 'Busy':
      return failed(Code.OK, 'Server Is Busy', new GoogleEmpty(), 'google.protobuf.Empty');
    case 'AccessDenied':
      return failed(Code.PERMISSION_DENIED, 'Access Denied', new AccessDenied(), `${PACKAGE}.AccessDenied`);
    case 'Unknown':
      return failed(Code.UNKNOWN, 'Unknown', new Unknown(), `${PACKAGE}.Unknown`);
    case 'StreamDeleted': {
      const details = new StreamDeleted().setStreamIdentifier(identifierOf(stream));
      return failed(Code.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, details, `${PACKAGE}.StreamDeleted`);
    }
  }
}

export function tooLarge(maxBytes: number): BatchAppendResp {
  const details = new MaximumAppendSizeExceeded().setMaxappendsize(maxBytes);
  return failed(Code.INVALID_ARGUMENT, 'Maximum Append Size Exceeded', details, `${PACKAGE}.MaximumAppendSizeExceeded`);
}

export function refusedRevision(current: number, expected: ExpectedRevision): BatchAppendResp {
  const details = new WrongExpectedVersion();
  if (current < 0) details.setCurrentNoStream(new GoogleEmpty());
  else details.setCurrentStreamRevision(String(current));
  if (expected === 'no_stream') details.setExpectedNoStream(new GoogleEmpty());
  else if (expected === 'any') details.setExpectedAny(new GoogleEmpty());
  else if (expected === 'stream_exists') details.setExpectedStreamExists(new GoogleEmpty());
  else details.setExpectedStreamPosition(String(expected));
  return failed(Code.FAILED_PRECONDITION, 'Wrong Expected Version', details, `${PACKAGE}.WrongExpectedVersion`);
}

export function succeeded({ revision, position }: Extract<AppendOutcome, { result: 'written' }>): BatchAppendResp {
  const success = new BatchAppendResp.Success();
  if (revision < 0) success.setNoStream(new GoogleEmpty());
  else success.setCurrentRevision(String(revision));
  if (position < 0) success.setNoPosition(new GoogleEmpty());
  else success.setPosition(positionOf(position));
  return new BatchAppendResp().setSuccess(success);
}
