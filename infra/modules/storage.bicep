// What the app remembers and how its stages talk: queues, one table, and containers for the package and for dead
// letters of Event Grid. There are no keys: whoever comes, comes with an identity that has a role here.

@description('Region of the storage account.')
param location string

@description('Tags of the storage account.')
param tags object

@description('Last part of the name.')
param suffix string

@description('Whether only private endpoints reach it.')
param private bool

@description('Redundancy of the storage account.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param skuName string

@description('Object id of the identity of the app.')
param appPrincipalId string

@description('Object id of the identity by which Event Grid writes dead letters.')
param eventsPrincipalId string

// The stages, in flow order. Each has a queue of that name, and one for messages that nobody could handle.
var stages = [
  'reconcile'
  'replicate'
  'watch'
  'prune'
  'notify'
]
var tableNames = [
  'rollouts'
]
var deploymentContainerName = 'deployments'
var deadLetterContainerName = 'dead-letters'

// Roles of the app on this account. The host keeps its keys and locks in blobs, and for that "Storage Blob Data Owner"
// is documented; it also reads the package with it.
var appRoles = [
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
]
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: 'st${suffix}'
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: skuName
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      // Event Grid writes its dead letters as a trusted service, also where the public way is closed.
      bypass: 'AzureServices'
      defaultAction: private ? 'Deny' : 'Allow'
    }
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = [for stage in stages: {
  parent: queueService
  name: stage
}]

resource poisonQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = [for stage in stages: {
  parent: queueService
  name: '${stage}-poison'
}]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2023-05-01' = [for name in tableNames: {
  parent: tableService
  name: name
}]

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource deploymentContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobService
  name: deploymentContainerName
  properties: {
    publicAccess: 'None'
  }
}

resource deadLetterContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobService
  name: deadLetterContainerName
  properties: {
    publicAccess: 'None'
  }
}

// An event is a hint, and the sweep finds what it missed: a dead letter is of use while somebody looks for a cause.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'forget-dead-letters'
          enabled: true
          type: 'Lifecycle'
          definition: {
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 30
                }
              }
            }
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${deadLetterContainerName}/'
              ]
            }
          }
        }
      ]
    }
  }
}

resource appAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in appRoles: {
  scope: account
  name: guid(account.id, appPrincipalId, role)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

resource eventsAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: deadLetterContainer
  name: guid(deadLetterContainer.id, eventsPrincipalId, blobDataContributor)
  properties: {
    principalId: eventsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}

@description('Resource id of the storage account.')
output id string = account.id

@description('Address of the blobs.')
output blobUri string = account.properties.primaryEndpoints.blob

@description('Address of the queues.')
output queueUri string = account.properties.primaryEndpoints.queue

@description('Address of the tables.')
output tableUri string = account.properties.primaryEndpoints.table

@description('Address of the container that holds the package of the app.')
output deploymentContainerUri string = '${account.properties.primaryEndpoints.blob}${deploymentContainer.name}'

@description('Name of the container of dead letters of Event Grid.')
output deadLetterContainerName string = deadLetterContainer.name
