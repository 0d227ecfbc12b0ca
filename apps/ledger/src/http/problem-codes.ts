/**
 * Every code that an answer can carry: its status, its title, what it means and what to do about it. The pages under
 * /docs/problems and the OpenAPI document are made from this table, so that a code without an explanation cannot exist.
 */
interface CodeMeaning {
  status: number;
  title: string;
  meaning: string;
  remedy: string;
  /** Seconds of the Retry-After header; every 429 and 503 has one. */
  retryAfterSeconds?: number;
}

const code = (status: number, title: string, meaning: string, remedy: string): CodeMeaning => ({ status, title, meaning, remedy });
const later = (status: number, title: string, meaning: string, remedy: string): CodeMeaning => ({
  status,
  title,
  meaning,
  remedy,
  retryAfterSeconds: 1,
});

export const PROBLEM_CODES = {
  VALIDATION_FAILED: code(
    400,
    'The request is not valid',
    'A field, an id of the path, a query parameter or a header has the wrong shape; unknown ones are refused too.',
    'Correct what `errors` lists, each with its field, value and message.',
  ),
  KEY_MISSING: code(
    400,
    'The Idempotency-Key is missing',
    'A POST that moves tokens needs a key, so that a repeat after a lost reply cannot count twice.',
    'Send a fresh Idempotency-Key of 1 to 200 visible characters, and the same one when you repeat this request.',
  ),
  MALFORMED_JSON: code(
    400,
    'The body is not JSON',
    'The body could not be read as one JSON text in UTF-8, or names a field twice.',
    'Send one JSON object with each field once.',
  ),
  UNAUTHENTICATED: code(
    401,
    'A valid bearer token is needed',
    'The Authorization header is missing, or its token is expired, forged or of another issuer.',
    'Send `Authorization: Bearer <token>` with a token that this ledger accepts.',
  ),
  INSUFFICIENT_TOKENS: code(
    402,
    'Not enough tokens',
    'The wallet does not hold the tokens that were asked for.',
    'Buy or allocate what `missing` says, or ask for less.',
  ),
  FORBIDDEN: code(403, 'Not allowed', 'The token is valid, but its role may not do this.', 'Use a token of a role that `needed` names.'),
  ORGANISATION_NOT_FOUND: code(
    404,
    'No such organisation',
    'No wallet was opened for this organisation.',
    'Check the id, or open the organisation with PUT.',
  ),
  MEMBER_NOT_FOUND: code(404, 'No such member', 'The organisation never had this member.', 'Check the id, or permit the member with PUT.'),
  USAGE_NOT_FOUND: code(404, 'No such usage', 'This user has no usage of this id.', 'Check the usage id and the user it belongs to.'),
  ALLOCATION_NOT_FOUND: code(
    404,
    'No such allocation',
    'This organisation has no allocation of this id.',
    'Check the allocation id and the organisation it belongs to.',
  ),
  NOT_FOUND: code(404, 'No such address', 'Nothing is served at this address, or not with this method.', 'Look the address up in /docs.'),
  PAYMENT_REFERENCE_USED: code(
    409,
    'The payment was already credited',
    'A purchase of this wallet carries the same payment reference.',
    'Nothing: the tokens are there. A new payment needs its own reference.',
  ),
  USAGE_ALREADY_REVERSED: code(
    409,
    'The usage was already reversed',
    'A usage is returned once, in full.',
    'Nothing: the tokens were returned.',
  ),
  BILL_EXISTS: code(
    409,
    'The bill exists',
    'This owner was already billed for this month or day.',
    'Nothing: there is one bill per owner and period.',
  ),
  BODY_TOO_LARGE: code(
    413,
    'The body is too large',
    'The body has more bytes than this ledger reads.',
    'Split the request so that no body is larger than `limitBytes`.',
  ),
  UNSUPPORTED_MEDIA_TYPE: code(
    415,
    'The body must be JSON',
    'The Content-Type is missing or is not application/json.',
    'Send `Content-Type: application/json`.',
  ),
  KEY_REUSED: code(
    422,
    'The key was used for something else',
    'The same Idempotency-Key came with other content.',
    'Use a fresh key for a new request; repeat an old one with exactly the same content.',
  ),
  LIMIT_EXCEEDED: code(
    422,
    'A limit would be passed',
    'The funds are there, but a limit leaves too little of them.',
    'Wait until `resetsAt`, ask for less, or have the limit raised.',
  ),
  MEMBER_NOT_PERMITTED: code(
    422,
    'The member may not receive',
    'The user is not a permitted member of this organisation.',
    'Permit the member first.',
  ),
  MEMBER_SUSPENDED: code(
    422,
    'The member is suspended',
    'Tokens of this organisation cannot be drawn or received while the member is suspended.',
    'Have the member resumed, or draw from other sources.',
  ),
  TOO_MANY_ORGANISATIONS: code(
    422,
    'The user is a member of too many organisations',
    'A user is a member of at most 1,000 organisations.',
    'Leave the user out.',
  ),
  DUPLICATE_MEMBER: code(422, 'A member is named twice', 'A list names the same userId more than once.', 'Name each member once.'),
  PURCHASE_TOO_SMALL: code(
    422,
    'The package is too small',
    'A purchase has a smallest package.',
    'Buy at least the tokens that the problem names.',
  ),
  BALANCE_TOO_LARGE: code(
    422,
    'The wallet would grow too large',
    'A wallet has a largest number of tokens that it takes in its life.',
    'Use another wallet, or ask the operator.',
  ),
  ALLOCATION_REFUSED: code(
    422,
    'Some lines cannot be done',
    'All lines of a list are done or none; nothing was written.',
    'Correct the lines that `lines` names and send the whole list again.',
  ),
  TOO_OLD: code(
    422,
    'It happened too long ago',
    'The ledger takes what is late, but only up to a bound.',
    'Settle it by other means; the bound is in the detail.',
  ),
  TOO_MANY_REQUESTS: later(
    429,
    'Too many requests',
    'This caller sends more than it may.',
    'Wait as long as Retry-After says, then send fewer at a time.',
  ),
  STORE_UNAVAILABLE: later(
    503,
    'The event store is away',
    'The store of facts cannot be reached; nothing was written.',
    'Repeat with the same key after Retry-After.',
  ),
  OVERLOADED: later(
    503,
    'Too much is waiting',
    'More commands for this wallet, lines of batches or readers of events are there than the ledger takes at once; nothing was written.',
    'Repeat with the same key after Retry-After, and more slowly.',
  ),
  POSITION_NOT_REACHED: later(
    503,
    'Not read that far yet',
    'This instance has not yet read up to the Ledger-Position that you sent or were given.',
    'Repeat after Retry-After.',
  ),
  CATCHING_UP: later(
    503,
    'The index is catching up',
    'Whether something is unique cannot be said before the local index has read further; nothing was written.',
    'Repeat with the same key after Retry-After.',
  ),
  CONTENTION: later(
    503,
    'Others were faster',
    'Other instances kept writing to this wallet; nothing was written.',
    'Repeat with the same key after Retry-After.',
  ),
  OUTCOME_UNKNOWN: later(
    503,
    'The outcome is not known',
    'The store did not say whether it wrote.',
    'Repeat with the same key: the answer then tells the truth. A refusal of the repeat is final only after ATTEMPT_SECONDS.',
  ),
  ISSUER_UNAVAILABLE: later(
    503,
    'The issuer of tokens is away',
    'The keys that bearer tokens are checked with cannot be fetched.',
    'Repeat after Retry-After.',
  ),
  INTERNAL_ERROR: code(
    500,
    'The ledger made a mistake',
    'This is a defect of the ledger; it was logged with the request id.',
    'Repeat with the same key; if it stays, tell the operator the `requestId`.',
  ),
} as const satisfies Record<string, CodeMeaning>;

export type ProblemCode = keyof typeof PROBLEM_CODES;
export const meaningOf = (problemCode: ProblemCode): CodeMeaning => PROBLEM_CODES[problemCode];
export const isProblemCode = (text: string): text is ProblemCode => Object.hasOwn(PROBLEM_CODES, text);
