// The role of the app on one disk encryption set.

@description('Name of the disk encryption set, in the resource group of this module.')
param setName string

@description('Resource id of the role.')
param roleId string

@description('Object id of the identity of the app.')
param appPrincipalId string

resource encryptionSet 'Microsoft.Compute/diskEncryptionSets@2023-04-02' existing = {
  name: setName
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: encryptionSet
  name: guid(encryptionSet.id, appPrincipalId, roleId)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleId
  }
}
