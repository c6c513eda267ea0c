// The whole, in the order of the flow: who the app is, where it remembers, where it logs, where its secrets are, what it
// runs on, what it may do. Composition only; each module says why it is as it is. The events come in a second stage,
// events.bicep: Event Grid refuses to subscribe a function that is not there yet.
targetScope = 'subscription'

// Where it is

@description('Name of the environment: names are made of it, and it is a tag of everything.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of the app. Flex Consumption with Python 3.13 has to be offered there.')
param location string

@description('Resource group that is made for the app.')
param resourceGroupName string = 'rg-gallery-fanout-${environmentName}'

@description('More tags of everything that is made.')
param tags object = {}

// What it does: the settings of the contract. Their defaults are the code's; the table in the top README says more.

@description('Resource ids of the galleries that are managed, in any subscription of this tenant. Setting `GALLERIES`.')
@minLength(1)
param galleries string[]

@description('Where the newest version is to be: `region[=replicas][=storage type] ...`, waves separated by `;`. Setting `TARGET_REGIONS`.')
@minLength(1)
param targetRegions string

@description('Replicas in a region that gives no number. Setting `REPLICA_COUNT`.')
@minValue(1)
@maxValue(100)
param replicaCount int = 1

@description('For `=Nvms`: VMs made at once from one replica. Setting `VMS_PER_REPLICA`.')
@minValue(1)
@maxValue(1000)
param vmsPerReplica int = 20

@description('Storage type of added regions that give none; empty for the one of the version. Setting `STORAGE_ACCOUNT_TYPE`.')
@allowed([
  ''
  'Standard_LRS'
  'Standard_ZRS'
  'Premium_LRS'
  'PremiumV2_LRS'
])
param storageAccountType string = ''

@description('Region to the resource id of its disk encryption set, for regions added to an encrypted version. The app gets read access to these sets. Setting `ENCRYPTION_SETS`.')
param encryptionSets object = {}

@description('How long a wave must have been complete before the next starts. Setting `WAVE_BAKE`.')
param waveBake string = 'PT0S'

@description('How many newest good versions keep all regions. Setting `KEEP_LATEST`.')
@minValue(1)
@maxValue(1000)
param keepLatest int = 1

@description('Replicas of a pruned version in its home region. Setting `HOME_REPLICA_COUNT`.')
@minValue(1)
@maxValue(100)
param homeReplicaCount int = 1

@description('How long the newest must have been complete before older ones are pruned. Setting `PRUNE_GRACE`.')
param pruneGrace string = 'PT0S'

@description('Versions pruned per image definition at a time. Setting `PRUNE_MAX_PER_PASS`.')
@minValue(1)
@maxValue(1000)
param pruneMaxPerPass int = 10

@description('Tag that leaves the regions of a version, a definition or a gallery alone. Setting `PROTECT_TAG`.')
param protectTag string = 'gallery-fanout-keep'

@description('Who keeps a region by using a version there. Setting `PROTECT_IN_USE`.')
@allowed([
  'scale-sets'
  'all'
  'off'
])
param protectInUse string = 'scale-sets'

@description('Whether a prune may set `allowDeletionOfReplicatedLocations` of a version. Setting `PRUNE_UNLOCKS_REGIONS`.')
param pruneUnlocksRegions bool = true

@description('What the app does: only plans, replicates, or prunes too. Start with `observe`. Setting `MODE`.')
@allowed([
  'full'
  'replicate'
  'observe'
])
param mode string = 'full'

@description('Pattern `gallery/image` to other settings for these images. Setting `POLICY_OVERRIDES`.')
param policyOverrides object = {}

@description('First and longest pause between two looks at a rollout. Setting `WATCH_INTERVAL`.')
param watchInterval string = 'PT15S..PT10M'

@description('After this a rollout that is not complete is reported as stalled. Setting `ROLLOUT_DEADLINE`.')
param rolloutDeadline string = 'PT24H'

@description('Whether the vault has a secret `STATUS-WEBHOOKS`. Put it there first: a reference to nothing stops the app. Setting `STATUS_WEBHOOKS`.')
param statusWebhooksInVault bool = false

@description('Whether the vault has a secret `STATUS-WEBHOOK-SECRET`. Put it there first, too. Setting `STATUS_WEBHOOK_SECRET`.')
param statusWebhookSecretInVault bool = false

@description('Address of an Event Grid custom topic that gets the statuses; empty for none. Setting `STATUS_TOPIC_ENDPOINT`.')
param statusTopicEndpoint string = ''

@description('Which statuses are posted. Setting `STATUS_EVENTS`.')
param statusEvents string = 'all'

@description('Price of storage, in whatever currency: with it, prunes state an estimated saving. Setting `STORAGE_PRICE_PER_GIB_MONTH`.')
param storagePricePerGibMonth string = ''

@description('NCRONTAB of the sweep. Setting `SWEEP_SCHEDULE`.')
param sweepSchedule string = '0 0 * * * *'

@description('Address of Azure Resource Manager: that of the cloud that is deployed to. Setting `ARM_ENDPOINT`.')
param armEndpoint string = environment().resourceManager

// What it may do

@description('Subscriptions whose scale sets and VMs count as users of an image, by id; none means those of the galleries and the app\'s own.')
param usageSubscriptionIds string[] = []

@description('Resource ids of disk encryption sets that are in versions already, or in overrides: a write names them again. The app gets read access.')
param otherEncryptionSetIds string[] = []

@description('Resource id of the topic of `statusTopicEndpoint`: the app gets the role EventGrid Data Sender there. Empty when somebody else sees to it.')
param statusTopicId string = ''

@description('Object id of who may write the secrets into the vault; azd gives who deploys. Empty for nobody.')
param vaultOfficerId string = ''

// What it runs on

@description('Whether storage and vault are reached by private endpoints only, from a network that is made for the app.')
param privateNetwork bool = false

@description('Address space of that network: at least /25.')
param networkAddressPrefix string = '10.91.0.0/24'

@description('Redundancy of the storage account.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageSku string = 'Standard_ZRS'

@description('Most instances of the app at once.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Memory of an instance, in MB.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('How long the log is kept, in days.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Resource ids of action groups that are told of alerts.')
param actionGroupIds string[] = []

@description('How far apart two sweeps are, as `sweepSchedule` has it: an alert counts the ones that are missing.')
param sweepPeriod string = 'PT1H'

var suffix = uniqueString(subscription().id, environmentName, location)
var appName = 'gallery-fanout-${suffix}'
var allTags = union(tags, {
  'azd-env-name': environmentName
})

// Azure's ids have no case, and what is named twice is given its role once.
var galleryIds = union(map(galleries, id => toLower(id)), [])
var gallerySubscriptionIds = union(map(galleryIds, id => split(id, '/')[2]), [])
var encryptionSetIds = union(map(items(encryptionSets), each => toLower(each.value)), map(otherEncryptionSetIds, id => toLower(id)))
var encryptionSubscriptionIds = union(map(encryptionSetIds, id => split(id, '/')[2]), [])
var looksAtUsage = protectInUse != 'off' || contains(string(policyOverrides), 'protect_in_use')
var defaultUsageSubscriptionIds = union(gallerySubscriptionIds, [
  toLower(subscription().subscriptionId)
])
var givenUsageSubscriptionIds = union(map(usageSubscriptionIds, id => toLower(id)), [])
var watchedSubscriptionIds = empty(usageSubscriptionIds) ? defaultUsageSubscriptionIds : givenUsageSubscriptionIds

// What cannot be reached over the public network, and where its names are.
var endpoints = [
  {
    service: 'blob'
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
  }
  {
    service: 'queue'
    zoneName: 'privatelink.queue.${environment().suffixes.storage}'
  }
  {
    service: 'table'
    zoneName: 'privatelink.table.${environment().suffixes.storage}'
  }
  {
    service: 'vault'
    zoneName: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
  }
]

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: resourceGroupName
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'identity'
  params: {
    location: location
    tags: allTags
    suffix: suffix
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  name: 'storage'
  params: {
    location: location
    tags: allTags
    suffix: suffix
    private: privateNetwork
    skuName: storageSku
    appPrincipalId: identity.outputs.appPrincipalId
    eventsPrincipalId: identity.outputs.eventsPrincipalId
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: {
    location: location
    tags: allTags
    suffix: suffix
    retentionDays: logRetentionDays
    appPrincipalId: identity.outputs.appPrincipalId
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  name: 'vault'
  params: {
    location: location
    tags: allTags
    suffix: suffix
    private: privateNetwork
    appPrincipalId: identity.outputs.appPrincipalId
    vaultOfficerId: vaultOfficerId
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  scope: group
  name: 'network'
  params: {
    location: location
    tags: allTags
    suffix: suffix
    addressPrefix: networkAddressPrefix
  }
}

module privateEndpoints 'modules/private-endpoint.bicep' = [for endpoint in (privateNetwork ? endpoints : []): {
  scope: group
  name: 'private-endpoint-${endpoint.service}'
  params: {
    location: location
    tags: allTags
    suffix: suffix
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointSubnetId
    targetId: endpoint.service == 'vault' ? vault.outputs.id : storage.outputs.id
    service: endpoint.service
    zoneName: endpoint.zoneName
  }
}]

module plan 'modules/plan.bicep' = {
  scope: group
  name: 'plan'
  params: {
    location: location
    tags: allTags
    suffix: suffix
  }
}

module app 'modules/app.bicep' = {
  scope: group
  name: 'app'
  params: {
    location: location
    tags: union(allTags, {
      'azd-service-name': 'app'
    })
    name: appName
    planId: plan.outputs.id
    identityId: identity.outputs.appId
    identityClientId: identity.outputs.appClientId
    deploymentContainerUri: storage.outputs.deploymentContainerUri
    blobUri: storage.outputs.blobUri
    queueUri: storage.outputs.queueUri
    tableUri: storage.outputs.tableUri
    insightsConnectionString: monitoring.outputs.connectionString
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    settings: {
      TARGET_REGIONS: targetRegions
      REPLICA_COUNT: string(replicaCount)
      VMS_PER_REPLICA: string(vmsPerReplica)
      STORAGE_ACCOUNT_TYPE: storageAccountType
      ENCRYPTION_SETS: string(encryptionSets)
      WAVE_BAKE: waveBake
      KEEP_LATEST: string(keepLatest)
      HOME_REPLICA_COUNT: string(homeReplicaCount)
      PRUNE_GRACE: pruneGrace
      PRUNE_MAX_PER_PASS: string(pruneMaxPerPass)
      PROTECT_TAG: protectTag
      PROTECT_IN_USE: protectInUse
      PRUNE_UNLOCKS_REGIONS: string(pruneUnlocksRegions)
      MODE: mode
      GALLERIES: join(galleries, ' ')
      POLICY_OVERRIDES: string(policyOverrides)
      WATCH_INTERVAL: watchInterval
      ROLLOUT_DEADLINE: rolloutDeadline
      STATUS_WEBHOOKS: statusWebhooksInVault ? '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/STATUS-WEBHOOKS)' : ''
      STATUS_WEBHOOK_SECRET: statusWebhookSecretInVault ? '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/STATUS-WEBHOOK-SECRET)' : ''
      STATUS_TOPIC_ENDPOINT: statusTopicEndpoint
      STATUS_EVENTS: statusEvents
      STORAGE_PRICE_PER_GIB_MONTH: storagePricePerGibMonth
      SWEEP_SCHEDULE: sweepSchedule
      ARM_ENDPOINT: armEndpoint
    }
  }
}

module galleryRoles 'modules/gallery-role.bicep' = [for (id, index) in gallerySubscriptionIds: {
  scope: subscription(id)
  name: 'gallery-fanout-${suffix}-role-${index}'
  params: {
    suffix: suffix
  }
}]

module galleryAccess 'modules/gallery-access.bicep' = [for (id, index) in galleryIds: {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  name: 'gallery-fanout-${suffix}-gallery-${index}'
  params: {
    galleryName: last(split(id, '/'))
    roleId: galleryRoles[indexOf(gallerySubscriptionIds, split(id, '/')[2])].outputs.id
    appPrincipalId: identity.outputs.appPrincipalId
  }
}]

module usageAccess 'modules/usage-access.bicep' = [for (id, index) in (looksAtUsage ? watchedSubscriptionIds : []): {
  scope: subscription(id)
  name: 'gallery-fanout-${suffix}-usage-${index}'
  params: {
    suffix: suffix
    appPrincipalId: identity.outputs.appPrincipalId
  }
}]

module encryptionRoles 'modules/encryption-role.bicep' = [for (id, index) in encryptionSubscriptionIds: {
  scope: subscription(id)
  name: 'gallery-fanout-${suffix}-encryption-role-${index}'
  params: {
    suffix: suffix
  }
}]

module encryptionAccess 'modules/encryption-access.bicep' = [for (id, index) in encryptionSetIds: {
  scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
  name: 'gallery-fanout-${suffix}-encryption-${index}'
  params: {
    setName: last(split(id, '/'))
    roleId: encryptionRoles[indexOf(encryptionSubscriptionIds, split(id, '/')[2])].outputs.id
    appPrincipalId: identity.outputs.appPrincipalId
  }
}]

module topicAccess 'modules/topic-access.bicep' = if (!empty(statusTopicId)) {
  scope: resourceGroup(split(statusTopicId, '/')[2], split(statusTopicId, '/')[4])
  name: 'gallery-fanout-${suffix}-topic'
  params: {
    topicName: last(split(statusTopicId, '/'))
    appPrincipalId: identity.outputs.appPrincipalId
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    location: location
    tags: allTags
    name: appName
    appInsightsId: monitoring.outputs.insightsId
    workspaceId: monitoring.outputs.workspaceId
    storageAccountId: storage.outputs.id
    functionAppId: app.outputs.id
    sweepPeriod: sweepPeriod
    actionGroupIds: actionGroupIds
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  name: 'workbook'
  params: {
    location: location
    tags: allTags
    name: appName
    workspaceId: monitoring.outputs.workspaceId
  }
}

@description('Resource group of the app.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Name of the app: what func publishes to, and what events.bicep subscribes.')
output FUNCTION_APP_NAME string = appName

@description('Name of the vault of the secrets.')
output VAULT_NAME string = vault.outputs.name

@description('The page that shows what is where; it wants the function key of the app.')
output STATUS_PAGE string = 'https://${app.outputs.hostName}/api/status'
