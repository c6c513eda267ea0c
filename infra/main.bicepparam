// Parameters of main.bicep from the environment: azd gives its own (azd env set NAME VALUE), a shell what was exported.
// A setting has the same name as in the app; what is not given has the default that is written here, which is the code's.
using 'main.bicep'

var name = readEnvironmentVariable('AZURE_ENV_NAME')

param environmentName = name
param location = readEnvironmentVariable('AZURE_LOCATION')
param resourceGroupName = readEnvironmentVariable('AZURE_RESOURCE_GROUP', 'rg-gallery-fanout-${name}')

param galleries = filter(split(readEnvironmentVariable('GALLERIES'), [' ', ',']), id => !empty(id))
param targetRegions = readEnvironmentVariable('TARGET_REGIONS')
param replicaCount = int(readEnvironmentVariable('REPLICA_COUNT', '1'))
param vmsPerReplica = int(readEnvironmentVariable('VMS_PER_REPLICA', '20'))
param storageAccountType = readEnvironmentVariable('STORAGE_ACCOUNT_TYPE', '')
param encryptionSets = json(readEnvironmentVariable('ENCRYPTION_SETS', '{}'))
param waveBake = readEnvironmentVariable('WAVE_BAKE', 'PT0S')
param keepLatest = int(readEnvironmentVariable('KEEP_LATEST', '1'))
param homeReplicaCount = int(readEnvironmentVariable('HOME_REPLICA_COUNT', '1'))
param pruneGrace = readEnvironmentVariable('PRUNE_GRACE', 'PT0S')
param pruneMaxPerPass = int(readEnvironmentVariable('PRUNE_MAX_PER_PASS', '10'))
param protectTag = readEnvironmentVariable('PROTECT_TAG', 'gallery-fanout-keep')
param protectInUse = readEnvironmentVariable('PROTECT_IN_USE', 'scale-sets')
param pruneUnlocksRegions = bool(readEnvironmentVariable('PRUNE_UNLOCKS_REGIONS', 'true'))
param mode = readEnvironmentVariable('MODE', 'full')
param policyOverrides = json(readEnvironmentVariable('POLICY_OVERRIDES', '{}'))
param watchInterval = readEnvironmentVariable('WATCH_INTERVAL', 'PT15S..PT10M')
param rolloutDeadline = readEnvironmentVariable('ROLLOUT_DEADLINE', 'PT24H')
param statusWebhooksInVault = bool(readEnvironmentVariable('STATUS_WEBHOOKS_IN_VAULT', 'false'))
param statusWebhookSecretInVault = bool(readEnvironmentVariable('STATUS_WEBHOOK_SECRET_IN_VAULT', 'false'))
param statusTopicEndpoint = readEnvironmentVariable('STATUS_TOPIC_ENDPOINT', '')
param statusEvents = readEnvironmentVariable('STATUS_EVENTS', 'all')
param storagePricePerGibMonth = readEnvironmentVariable('STORAGE_PRICE_PER_GIB_MONTH', '')
param sweepSchedule = readEnvironmentVariable('SWEEP_SCHEDULE', '0 0 * * * *')

param usageSubscriptionIds = filter(split(readEnvironmentVariable('USAGE_SUBSCRIPTION_IDS', ''), [' ', ',']), id => !empty(id))
param otherEncryptionSetIds = filter(split(readEnvironmentVariable('OTHER_ENCRYPTION_SET_IDS', ''), [' ', ',']), id => !empty(id))
param statusTopicId = readEnvironmentVariable('STATUS_TOPIC_ID', '')
param vaultOfficerId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')

param privateNetwork = bool(readEnvironmentVariable('PRIVATE_NETWORK', 'false'))
param networkAddressPrefix = readEnvironmentVariable('NETWORK_ADDRESS_PREFIX', '10.91.0.0/24')
param storageSku = readEnvironmentVariable('STORAGE_SKU', 'Standard_ZRS')
param maximumInstanceCount = int(readEnvironmentVariable('MAXIMUM_INSTANCE_COUNT', '40'))
param instanceMemoryMB = int(readEnvironmentVariable('INSTANCE_MEMORY_MB', '2048'))
param logRetentionDays = int(readEnvironmentVariable('LOG_RETENTION_DAYS', '30'))
param actionGroupIds = filter(split(readEnvironmentVariable('ACTION_GROUP_IDS', ''), [' ', ',']), id => !empty(id))
param sweepPeriod = readEnvironmentVariable('SWEEP_PERIOD', 'PT1H')
