// Where the two secrets are. No secret passes through a deployment: people put them here, and the app reads them by
// reference, with its identity.

@description('Region of the vault.')
param location string

@description('Tags of the vault.')
param tags object

@description('Last part of the name.')
param suffix string

@description('Whether only private endpoints reach it.')
param private bool

@description('Object id of the identity of the app.')
param appPrincipalId string

@description('Object id of who may write the secrets; empty for nobody.')
param vaultOfficerId string

var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
var keyVaultSecretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: 'kv-${suffix}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: private ? 'Deny' : 'Allow'
    }
  }
}

resource appAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, appPrincipalId, keyVaultSecretsUser)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
  }
}

resource officerAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(vaultOfficerId)) {
  scope: vault
  name: guid(vault.id, vaultOfficerId, keyVaultSecretsOfficer)
  properties: {
    principalId: vaultOfficerId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsOfficer)
  }
}

@description('Resource id of the vault.')
output id string = vault.id

@description('Name of the vault.')
output name string = vault.name

@description('Address of the vault, with a slash at its end.')
output uri string = vault.properties.vaultUri
