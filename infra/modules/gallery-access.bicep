// The role of the app on one gallery.

@description('Name of the gallery, in the resource group of this module.')
param galleryName string

@description('Resource id of the role.')
param roleId string

@description('Object id of the identity of the app.')
param appPrincipalId string

resource gallery 'Microsoft.Compute/galleries@2023-07-03' existing = {
  name: galleryName
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: gallery
  name: guid(gallery.id, appPrincipalId, roleId)
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleId
  }
}
