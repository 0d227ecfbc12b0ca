import { Controller, Get, Inject, Req } from '@nestjs/common';
import { type Charge, Refusal, tokensForCost, UseTokens } from '@ledger/wallet';
import { Settings } from '../settings';
import { Previews } from '../wallets/commanding';
import { usageCharged } from './answers-from-events';
import { envelopeOf } from './envelope';
import { Operation, type LedgerRequest } from './operation';
import { bodyOf, codeOfRefusal, Problem, type ProblemBody, validationFailed } from './problem';
import { fieldOf, numberFieldOf, setFieldOf } from './query-parameters';
import { Validators, type Validator } from './validation/validator';

export interface AffordabilityAnswer {
  affordable: boolean;
  tokens: number;
  charged: Charge[];
  blockedBy: ProblemBody[];
}

const QUERY = {
  tokens: numberFieldOf({ type: 'integer', minimum: 1, description: 'Either this or variableCostEuros' }),
  variableCostEuros: fieldOf({ type: 'string', description: 'Cost in EUR, such as 0.10' }),
  organisationId: fieldOf({ type: 'string', description: 'Allocated tokens of this organisation only' }),
  sources: setFieldOf({ type: 'string', description: 'Of free, allocated, purchased, separated by commas' }),
};

/** What a usage can be told no for; any other refusal is about the question itself. */
const BLOCKING = ['INSUFFICIENT_TOKENS', 'LIMIT_EXCEEDED', 'MEMBER_SUSPENDED', 'MEMBER_NOT_PERMITTED'];

@Controller('v1/users/:userId/affordability')
export class AffordabilityController {
  private readonly validate: Validator;

  constructor(
    private readonly previews: Previews,
    private readonly settings: Settings,
    @Inject(Validators) validators: Validators,
  ) {
    this.validate = validators.of(UseTokens);
  }

  @Get()
  @Operation({
    summary: 'Whether a usage would be accepted now, and what it would be charged to; writes nothing, promises nothing',
    access: 'userRead',
    query: QUERY,
    answers: { 200: 'Affordability' },
    refusals: ['ORGANISATION_NOT_FOUND'],
  })
  async read(@Req() request: LedgerRequest<typeof QUERY>): Promise<AffordabilityAnswer> {
    const command = this.usage(request);
    try {
      const { tokens, charged } = usageCharged(await this.previews.preview(command));
      return { affordable: true, tokens, charged, blockedBy: [] };
    } catch (error) {
      if (!(error instanceof Refusal) || !BLOCKING.includes(error.code)) throw error;
      const problem = new Problem(codeOfRefusal(error.code), error.detail, error.facts);
      const tokens = command.tokens ?? tokensForCost(command.variableCostEuros!, this.settings.priceTable) ?? 0;
      return { affordable: false, tokens, charged: [], blockedBy: [bodyOf(problem)] };
    }
  }

  /** The usage that is asked about: the same command, checked by the same rules. */
  private usage({ asked, params, principal, headers }: LedgerRequest<typeof QUERY>): UseTokens {
    const errors = this.validate(asked);
    if (errors) throw validationFailed(errors.map((error) => ({ ...error, in: 'query' })));
    return Object.assign(new UseTokens(), asked, {
      wallet: { kind: 'user', id: params['userId']! },
      envelope: envelopeOf(principal, headers, undefined, undefined),
    });
  }
}
