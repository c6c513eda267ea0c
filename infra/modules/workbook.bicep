// The workbook infra/workbook.json: rollouts, durations by region, throttling and writes, from what the app logs.

@description('Where the workbook is kept.')
param location string

@description('Tags of the workbook.')
param tags object

@description('What the name of the workbook begins with.')
param name string

@description('The Log Analytics workspace that it reads.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: '${name}: rollouts'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: replace(loadTextContent('../workbook.json'), '{workspace}', workspaceId)
  }
}
