// The function app. It reaches everything by its identity: there is no key and no connection string in its settings.
// Flex Consumption takes runtime, scale and package from functionAppConfig, and refuses the app settings that said so
// in older plans (FUNCTIONS_WORKER_RUNTIME, WEBSITE_RUN_FROM_PACKAGE and their like).

@description('Region of the app.')
param location string

@description('Tags of the app.')
param tags object

@description('Name of the app.')
param name string

@description('Resource id of the plan.')
param planId string

@description('Resource id of the identity of the app.')
param identityId string

@description('Client id of the identity of the app.')
param identityClientId string

@description('Address of the container that holds the package of the app.')
param deploymentContainerUri string

@description('Address of the blobs.')
param blobUri string

@description('Address of the queues.')
param queueUri string

@description('Address of the tables.')
param tableUri string

@description('Where telemetry is sent.')
param insightsConnectionString string

@description('Resource id of the subnet of the app; empty for none.')
param subnetId string

@description('Most instances at once.')
param maximumInstanceCount int

@description('Memory of an instance, in MB.')
param instanceMemoryMB int

@description('The settings of the contract.')
param settings object

var worker = {
  // One thread for each message that a host takes of one queue: host.json, batchSize and newBatchThreshold.
  // The worker's own default is six or so, and its threads wait for Azure most of the time.
  PYTHON_THREADPOOL_THREAD_COUNT: '24'
}

var connections = {
  AzureWebJobsStorage__blobServiceUri: blobUri
  AzureWebJobsStorage__queueServiceUri: queueUri
  AzureWebJobsStorage__tableServiceUri: tableUri
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: planId
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      ftpsState: 'Disabled'
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUri
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, connections, worker)
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

@description('Resource id of the app.')
output id string = app.id

@description('Host name of the app.')
output hostName string = app.properties.defaultHostName
