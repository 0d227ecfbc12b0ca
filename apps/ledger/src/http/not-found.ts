import { Problem } from './problem';

export const organisationNotFound = (organisationId: string) =>
  new Problem('ORGANISATION_NOT_FOUND', `There is no organisation ${organisationId}.`, { organisationId });

export const memberNotFound = (organisationId: string, userId: string) =>
  new Problem('MEMBER_NOT_FOUND', `${userId} was never a member of ${organisationId}.`, { organisationId, userId });

export const allocationNotFound = (organisationId: string, allocationId: string) =>
  new Problem('ALLOCATION_NOT_FOUND', `${organisationId} has no allocation ${allocationId}.`, { organisationId, allocationId });

export const usageNotFound = (userId: string, usageId: string) =>
  new Problem('USAGE_NOT_FOUND', `${userId} has no usage ${usageId}.`, { userId, usageId });
